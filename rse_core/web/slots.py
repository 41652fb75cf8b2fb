"""The slots of a legacy page: every plugin's markup for it, in one answer, with an ETag.

What a person at INFORM sees is nothing at all, unless the site chose otherwise (``inform_shows``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask import render_template, request
from markupsafe import Markup
from sqlalchemy.orm import Session

from ..content import ObjectRef
from ..contributions import Asset, SlotItem
from ..errors import BadInput
from ..i18n import _
from ..levels import Level
from ..organisation import space_ref
from ..pages import PageClaim
from ..rules import visible
from .gates import plugins_on
from .identity import current_person_id
from .state import core, rse, session_read, viewer

SLOT_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}\Z")
#: A time as the filter ``moment`` writes it.
TIME = re.compile(r"(<time [^>]*>)[^<]*")
#: The slot that the core fills: our pages, in the intranet's own menu.
NAVIGATION = "navigation"
#: What is written for nobody in particular yet.
ANYWHERE = ObjectRef("core.writing", "anywhere")
MAX_SLOTS = 12
MAX_PARAM = 200
#: Seconds between two conditional requests of a page that is being looked at.
POLL = 30


def slot_names(text: str) -> list[str]:
    """The names asked for, in order, each once.

    :raises BadInput: for none, too many, or one that cannot be a slot.
    """
    names = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names or len(names) > MAX_SLOTS:
        raise BadInput(_("Ask for 1 to %(most)s slots.", most=MAX_SLOTS), remedy=_("Write slots=reactions,comments."))
    for name in names:
        if not SLOT_NAME.match(name):
            raise BadInput(_("“%(name)s” is not the name of a slot.", name=name[:40]))
    return names


def claim_of_request() -> PageClaim:
    """What the page says of itself, from the query string.

    :raises BadInput: when no address was sent.
    """
    sent = request.values
    # The header is what a web server that includes fragments can send whole: a query would be cut at its first "&".
    address = sent.get("address") or sent.get("canonical") or request.headers.get("X-RSE-Page") or ""
    if not address:
        raise BadInput(_("The address of the page is missing."), remedy=_("Send address=/path/of/the/page."))
    return PageClaim(
        address=address,
        canonical=sent.get("canonical") or None,
        native=sent.get("native") or None,
        title=sent.get("title") or None,
        section=sent.get("section") or None,
        lang=sent.get("lang") or None,
        person_id=current_person_id(),
    )


def params_for(slot: str) -> Mapping[str, str]:
    """The parameters of one slot: ``slot.comments.sort=newest`` → ``{"sort": "newest"}``."""
    start = f"slot.{slot}."
    return {
        key[len(start) :]: value
        for key, value in request.values.items()
        if key.startswith(start) and len(key) < 120 and len(value) <= MAX_PARAM
    }


def is_silent(session: Session, person_id: int | None, subject: ObjectRef) -> bool:
    """Nothing is shown to this person here: the intranet is as it was.

    So it is at INFORM, as far as the site wants it (``inform_shows``), and always for whom the object is not meant.
    """
    running = core()
    if not _may_see(session, person_id, subject):
        return True
    if running.settings.inform_shows != "nothing":
        return False
    return person_id is None or running.policy.level_of(session, person_id, subject) <= Level.INFORM


def _may_see(session: Session, person_id: int | None, subject: ObjectRef) -> bool:
    policy = core().policy
    place = policy.resolve(session, subject)[0]
    if place is None:
        return False
    person = None if person_id is None else policy.person(person_id)
    if person is None:
        return place.audience_id in (None, policy.everyone()) and place.space_id is None and not place.hidden
    return visible(policy.snapshot(), person, place)


def render_slots(session: Session, slots: Sequence[str], refs: Sequence[ObjectRef]) -> dict[str, dict[str, Any]]:
    """The markup of these slots for these objects, as the script in the page wants it."""
    running = core()
    person_id = viewer().person_id
    subjects = [ref for ref in refs if not is_silent(session, person_id, ref)]
    answer: dict[str, dict[str, Any]] = {}
    on = plugins_on(session, person_id, subjects[0]) if subjects else []
    for slot in slots:
        items = []
        if slot == NAVIGATION:
            items = _navigation(session, person_id, refs)
        if subjects:
            items += running.plugins.slot_items(slot, subjects, viewer(params_for(slot)), session, plugins=on)
        html = "".join(item.html for item in sorted(items, key=lambda item: item.order))
        answer[slot] = {
            "html": html,
            "etag": hashlib.blake2b(_still(html).encode(), digest_size=9).hexdigest(),
            "stale_label": next((item.stale_label for item in items if item.stale_label), ""),
        }
    return answer


def _navigation(session: Session, person_id: int | None, refs: Sequence[ObjectRef]) -> list[SlotItem]:
    """Our pages, for the intranet's own menu: those that the person may use, nothing for who stands at INFORM."""
    from .templating import entries_of

    if person_id is None or not refs or core().policy.level_of(session, person_id) <= Level.INFORM:
        return []
    entries = entries_of(session, person_id, "main")
    return [SlotItem(refs[0], render_template("rse/navigation.html", entries=entries))] if entries else []


def slot_markup(session: Session, slot: str, refs: Sequence[ObjectRef]) -> dict[ObjectRef, Markup]:
    """What every plugin has for these objects in one slot, for a page of our own that shows many: one call for all.

    The caller has made sure that the person may see each of them.
    """
    if not refs:
        return {}
    seen_by = viewer(params_for(slot))
    items = core().plugins.slot_items(slot, refs, seen_by, session, plugins=plugins_on(session, seen_by.person_id))
    found: dict[ObjectRef, Markup] = {}
    for item in sorted(items, key=lambda item: item.order):
        found[item.ref] = found.get(item.ref, Markup("")) + Markup(item.html)  # noqa: S704  a SlotItem's html is safe
    return found


def composer_notes(space_id: int | None = None) -> Markup:
    """What plugins have to say to who starts writing (slot ``composer``): which tool for which use, the editorial guide.

    :param space_id: where it is written; None for no space in particular.
    """
    if current_person_id() is None:
        return Markup("")
    ref = space_ref(space_id) if space_id is not None else ANYWHERE
    with session_read() as session:
        return slot_markup(session, "composer", [ref]).get(ref, Markup(""))


def _still(html: str) -> str:
    # "3 minutes ago" becomes "4 minutes ago": that alone is no change that a reader must be shown.
    return TIME.sub(r"\1", html)


def embed_scripts() -> list[str]:
    """The core's script for names, and those that plugins want beside their slots; the page loads each once."""
    own = [rse().asset_url("rse_core.static", "mentions.js")]
    wanted = [asset for _plugin, asset in core().plugins.contributions(Asset) if asset.embed and asset.kind == "js"]
    return own + [rse().asset_url(asset.endpoint, asset.filename) for asset in wanted]


def embed_stylesheets() -> list[str]:
    """Stylesheets for the shadow roots: the core's, then the plugins'."""
    sheets = [rse().asset_url("rse_core.static", "rse-embed.css")]
    for _plugin, asset in core().plugins.contributions(Asset):
        if asset.embed and asset.kind == "css":
            sheets.append(rse().asset_url(asset.endpoint, asset.filename))
    return sheets
