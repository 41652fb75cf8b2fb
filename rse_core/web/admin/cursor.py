"""The cursor as a slider: choose a place, a level and a date, see who gains and who loses what, then apply."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for

from ...cursor import Snapshot
from ...db import utcnow
from ...delegation import Rights, place_as, stop_at
from ...errors import BadInput, Conflict, Forbidden
from ...i18n import _
from ...levels import Level, parse_level
from ...levelsets import KINDS, SITE, Where, history, locate, of_id
from ...preview import Change, Effect, describe, preview
from ...when import EARLIEST, LATEST
from ..language import format_date
from ..state import actor, core, session_read, session_write
from . import picture
from .base import blueprint, rights

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from werkzeug.wrappers import Response

HISTORY = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form says. ``moves``: a level was chosen (``level`` None then withdraws)."""

    where: Where
    kind: str
    moves: bool
    level: Level | None
    starts_at: dt.datetime | None
    why: str


def read(session: Session, found: Rights) -> Asked:
    """The form of this request, from the address or the body.

    :raises BadInput: names the field.
    :raises Forbidden: for a place that the person does not administer.
    """
    sent = request.values
    scope = sent.get("scope") or ("site" if found.site else "entity")
    key = (sent.get("key") or "").strip()
    where = SITE if scope == "site" else None
    if scope == "entity" and not key:
        where = of_id(session, "entity", min(found.entities)) if found.entities else None
    if where is None:
        where = locate(session, scope, key)
    kind = sent.get("kind") or ("cap" if where.scope == "section" else "level")
    if where.scope not in KINDS.get(kind, ()):
        raise BadInput(_("The cursor cannot be placed so."), remedy=_("Choose a place and a kind from the page."))
    if not found.site and not (
        where.scope == "entity" and found.over(core().policy.snapshot(), int(where.ident))
    ):
        raise Forbidden(
            _("You do not administer this part of the site."), remedy=_("Choose an entity of yours.")
        )
    level = (sent.get("level") or "").strip()
    return Asked(
        where,
        kind,
        bool(level),
        None if level in ("", "none") else parse_level(level),
        _moment(sent.get("from_date") or "", sent.get("from_time") or ""),
        " ".join((sent.get("why") or "").split()),
    )


def _moment(date: str, time: str) -> dt.datetime | None:
    if not date.strip():
        return None
    try:
        day = dt.date.fromisoformat(date.strip())
        if not EARLIEST <= day <= LATEST:
            raise ValueError
        local = dt.datetime.combine(day, dt.time.fromisoformat(time.strip() or "00:00"))
    except ValueError:
        raise BadInput(
            _("“%(date)s” is not a date.", date=f"{date} {time}".strip()[:40]),
            remedy=_("Write it as 2027-01-31."),
            fields={"from_date": _("Write it as 2027-01-31.")},
        ) from None
    return local.replace(tzinfo=ZoneInfo(core().settings.timezone)).astimezone(dt.UTC)


@blueprint.get("/")
def cursor() -> str:
    """The slider of one place, with the effect of what was chosen."""
    found = rights()
    with session_read() as session:
        asked = read(session, found)
        return _page(session, found, asked)


@blueprint.get("/effect")
def cursor_effect() -> str:
    """The effect alone, for the slider that is being moved."""
    found = rights()
    with session_read() as session:
        asked = read(session, found)
        snapshot = core().policy.snapshot()
        return render_template("rse/admin/_effect.html", **_effect(session, snapshot, found, asked), asked=asked)


@blueprint.post("/")
def cursor_apply() -> Response | tuple[str, int]:
    """Place the level that was chosen."""
    found = rights()
    with session_read() as session:
        asked = read(session, found)
        snapshot = core().policy.snapshot()
        if not asked.moves:
            raise BadInput(_("No level was chosen."), remedy=_("Move the cursor, then apply."))
        seen = request.form.get("version", "")
        if seen and seen != str(snapshot.version):
            page = _page(session, found, asked, warning=_("Something changed meanwhile: the effect was counted again."))
            return page, Conflict.status
    with session_write() as session:
        place_as(
            session, found, snapshot, asked.where, asked.level,
            actor=actor(), kind=asked.kind, starts_at=asked.starts_at, why=asked.why,
        )  # fmt: skip
    flash(_said(asked))
    return redirect(url_for("rse_admin.cursor", scope=asked.where.scope, key=asked.where.key, kind=asked.kind), 303)


def _said(asked: Asked) -> str:
    name = asked.where.name or asked.where.key or _("the whole site")
    if asked.level is None:
        return _("Withdrawn for %(where)s.", where=name)
    if asked.starts_at is not None and asked.starts_at > utcnow():
        return _(
            "“%(level)s” from %(date)s for %(where)s.",
            level=asked.level.label, where=name, date=format_date(asked.starts_at),
        )  # fmt: skip
    return _("“%(level)s” from now on for %(where)s.", level=asked.level.label, where=name)


def _page(session: Session, found: Rights, asked: Asked, *, warning: str = "") -> str:
    running, now = core(), utcnow()
    snapshot = running.policy.snapshot()
    where, kind = asked.where, asked.kind
    holds = picture.holding(snapshot, where, kind, now)
    own = picture.own_level(snapshot, where, kind, now)
    stop = stop_at(snapshot, where, kind, asked.starts_at or now)
    chosen = asked.level if asked.moves else (own if own is not None else holds)
    before = request.args.get("before", type=int)
    rows = history(session, kind=kind, where=where, before=before, limit=HISTORY + 1)
    line = picture.marks(history(session, kind=kind, where=where, limit=40), now)
    entity = int(where.ident) if where.scope == "entity" else None
    find = (request.args.get("find") or "").strip()
    return render_template(
        "rse/admin/cursor.html",
        **_effect(session, snapshot, found, asked),
        asked=asked,
        where=where,
        kind=kind,
        kinds=[k for k in ("level", "ceiling", "cap") if found.may_place(snapshot, where, k) and where.scope in KINDS[k]],
        warning=warning,
        notches=picture.notches(running, snapshot, present=holds, chosen=chosen, stop=stop),
        holds=holds,
        own=own,
        stop=stop,
        chosen=chosen,
        site=found.site,
        tree=picture.tree(session, snapshot, found, entity, now),
        find=find,
        found=picture.find_entities(session, snapshot, found, find, now) if find else [],
        groups=picture.groups(session, snapshot, now) if found.site else [],
        capped=picture.sections(snapshot, now) if found.site else [],
        site_level=picture.holding(snapshot, SITE, "level", now),
        rows=rows[:HISTORY],
        more=rows[HISTORY - 1].id if len(rows) > HISTORY else None,
        line=line,
        today=picture.now_on(line, now),
        Level=Level,
    )


def _effect(session: Session, snapshot: Snapshot, found: Rights, asked: Asked) -> dict[str, Any]:
    """What the chosen level would do; ``effect`` is None while nothing is chosen."""
    empty: dict[str, Any] = {"effect": None, "sentence": "", "barred": None, "version": snapshot.version, "shifts": []}
    if not asked.moves:
        return empty
    stop = stop_at(snapshot, asked.where, asked.kind, asked.starts_at or utcnow())
    if asked.level is not None and asked.level > stop:
        return {**empty, "barred": stop}
    effect = preview(session, core(), Change(asked.kind, asked.where, asked.level, asked.starts_at))
    return {
        **empty,
        "effect": effect,
        "sentence": describe(effect, core()),
        "shifts": _by_level(effect),
    }


def _by_level(effect: Effect) -> list[tuple[Level, int, int]]:
    """(level, people before, people after), the highest first, for those that anybody stands at."""
    return [
        (level, effect.before.get(int(level), 0), effect.after.get(int(level), 0))
        for level in reversed(Level)
        if effect.before.get(int(level)) or effect.after.get(int(level))
    ]
