"""Looking: search, proposals, profiles, vCards, the chart, newcomers, expertise, the file."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, NotFound, can
from rse_core.roles import is_site_admin, moderates
from rse_core.subjects import Target
from rse_core.webapi import (
    Cursor,
    core,
    decode_cursor,
    encode_cursor,
    require_person,
    session_read,
    session_write,
    slow_down,
)

from .. import access, arrivals, chart, exporting, finding, limits, narrowing, profiles, skills
from ..finding import Asked
from .base import _, blueprint, page

#: Proposals that one person may ask for in a minute.
PER_MINUTE = 150


@blueprint.get("/", endpoint="page")
def people() -> Response:
    """The form, facets and cards."""
    me, asked = require_person(), Asked.read(request.args)
    after, near, stale = _after(asked)
    limits.admit(core(), me.id, page=zlib.crc32(request.full_path.encode()))
    with session_read() as session:
        seen = access.sight(session, me.id)
        hits = finding.find(session, seen, asked, after=after, near=near)
        cards = profiles.cards(session, seen, (*hits.ids, *hits.alike))
        narrowed = narrowing.facets(session, seen, asked, near=hits.near, broad=hits.broad)
        export = exporting.may_export(session, me.id, asked)
    more = None
    if hits.after:
        more = encode_cursor(core().settings, Cursor(asked.scope, (*hits.after, hits.near)))
    return page(
        "page", asked=asked, cards=[one for one in cards if one.id not in hits.alike],
        alike=[one for one in cards if one.id in hits.alike], facets=narrowed.facets,
        number=None if asked.is_empty else narrowed.count, near=hits.near, more=more, first=after is None,
        stale=stale, seen=seen, export=export,
        address=lambda **changed: _address(asked, **changed),
        chosen=_chosen(asked, narrowed.facets),
    )  # fmt: skip


def _chosen(asked: Asked, facets: Mapping[str, tuple[narrowing.Value, ...]]) -> dict[str, str]:
    """Filters that are set, in words; what a filter is called is told only where somebody of it is shown."""
    found = {}
    for name, key in asked.filters.items():
        found[name] = next((one.label for one in facets.get(name, ()) if one.key == key), key)
    return found


def _address(asked: Asked, **changed: Any) -> str:
    arguments: dict[str, Any] = {**asked.arguments(**changed)}
    return url_for("rse_directory.page", **arguments)


def _after(asked: Asked) -> tuple[tuple[str, int] | None, int, bool]:
    """Where the list goes on, and among how close names; and whether the address was of another list."""
    text = request.args.get("after", "")
    if not text:
        return None, finding.TYPED, False
    try:
        name, ident, near = decode_cursor(core().settings, text, asked.scope).after
        return (str(name), int(ident)), int(near), False
    except (BadInput, ValueError):
        return None, finding.TYPED, True


@blueprint.get("/suggest")
def suggest() -> BaseResponse:
    """People whose names begin as typed; with an ETag."""
    me, typed = require_person(), request.args.get("q", "")[:100]
    slow_down(me.id, "directory.suggest", most=PER_MINUTE, seconds=60)
    with session_read() as session:
        seen = access.sight(session, me.id)
        cards = profiles.cards(session, seen, finding.suggest(session, seen, typed))
    answer = jsonify(
        [
            {
                "title": one.display_name,
                "label": ", ".join(part for part in (one.value("job_title"), one.entity_name) if part),
                "url": url_for(".person", username=one.username),
            }
            for one in cards
        ]
    )
    answer.set_etag(hashlib.blake2b(answer.get_data(), digest_size=12).hexdigest())
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer.make_conditional(request)


@blueprint.get("/people/<username>")
def person(username: str) -> Response:
    """A profile."""
    me = require_person()
    _admit(me.id, username)
    with session_read() as session:
        found = profiles.page(session, me.id, username)
        acts = {name: bool(can(session, me.id, f"directory.{name}").allowed) for name in ("endorse", "ask", "edit")}
        moderator = not found.own and moderates(session, me.id, Target(author_id=found.card.id))
        leaves = not found.card.active and is_site_admin(session, me.id)
    signature = exporting.signature(found.card) if found.own else ""
    return page("person", page=found, card=found.card, acts=acts, signature=signature, moderator=moderator, leaves=leaves)


def _admit(viewer_id: int, username: str) -> None:
    with session_read() as session:
        seen = access.sight(session, viewer_id)
        ident = profiles.visible_id(session, seen, username, former=True)
    if ident != viewer_id:
        limits.admit(core(), viewer_id, subject_id=ident)


@blueprint.get("/people/<username>/card.vcf")
def vcard(username: str) -> Response:
    """A vCard of what is shown of somebody."""
    me = require_person()
    _admit(me.id, username)
    with session_read() as session:
        found = profiles.page(session, me.id, username)
    if not found.card.active:
        raise NotFound(_("There is no such person in the directory, or none that you may see."))
    answer = Response(exporting.vcard(found.card), mimetype="text/vcard")
    answer.headers["Content-Disposition"] = "attachment; filename=card.vcf"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.get("/export.csv")
def export() -> Response:
    """The list as a file, for those who may."""
    me, asked = require_person(), Asked.read(request.args)
    with session_write() as session:
        text = exporting.csv_file(session, me.id, asked)
    answer = Response(text, mimetype="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = "attachment; filename=directory.csv"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.get("/chart")
def organisation() -> Response:
    """The organisation chart, by manager or by entity."""
    me = require_person()
    by = "entity" if request.args.get("by") == "entity" else "manager"
    of = request.args.get("of", "").replace("\x00", "")[:200]
    limits.admit(core(), me.id, page=zlib.crc32(request.full_path.encode()))
    with session_read() as session:
        if by == "entity":
            return page("chart_entities", nodes=chart.by_entity(session, me.id, of), of=of)
        found = chart.by_manager(session, me.id, of)
    boxes, wide, high = chart.drawn(found.nodes)
    return page("chart", chart=found, of=of, boxes=boxes, wide=wide, high=high, box=(chart.WIDE, chart.HIGH))


@blueprint.get("/newcomers")
def newcomers() -> Response:
    """Who has come, and whose birthday it is, where they gave it."""
    me, entity = require_person(), request.args.get("entity", "").replace("\x00", "")[:120]
    limits.admit(core(), me.id, page=zlib.crc32(request.full_path.encode()))
    with session_read() as session:
        found = arrivals.newcomers(session, me.id, entity=entity)
        born = arrivals.birthdays(session, me.id)
    return page("newcomers", arrivals=found, birthdays=born)


@blueprint.get("/expertise")
def expertise() -> Response:
    """The vocabulary, from which one comes to people."""
    me = require_person()
    typed, after = (request.args.get(name, "").replace("\x00", "")[:120] for name in ("q", "after"))
    with session_read() as session:
        found = skills.vocabulary(session, me.id, typed, after=after, limit=51)
        admin = is_site_admin(session, me.id)
    more = found[49].key if len(found) > 50 else ""
    return page("expertise", skills=found[:50], typed=typed, more=more, admin=admin)


@blueprint.get("/questions/<int:ident>")
def question(ident: int) -> Response:
    """A question, for the two whom it concerns."""
    me = require_person()
    with session_read() as session:
        found = skills.question(session, me.id, ident)
    return page("question", asking=found, mine=found.asker.id == me.id)
