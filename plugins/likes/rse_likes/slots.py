"""The bar of reactions under a page or another object."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from flask import get_template_attribute, request
from markupsafe import Markup
from sqlalchemy.orm import Session

from rse_core.api import ObjectRef, Reason, SlotItem, Viewer, current_locale
from rse_core.webapi import hidden_fields

from . import service

SLOT = "reactions"
#: In place of what only one session may see: a bar without it is the same for all who may do the same there.
_FIELDS = Markup("<!--rse-fields-->")
#: Bars kept for the objects in sight; a feed shows the same ones to everybody.
_MOST = 8_192
_made: dict[tuple[object, ...], str] = {}


def items(slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> list[SlotItem]:
    """Markup for all these objects, in a number of queries that does not depend on how many they are."""
    if slot != SLOT:
        return []
    made = []
    states = service.states(session, viewer.person_id, refs)
    fields = str(hidden_fields()) if states else ""
    for ref in refs:
        state = states.get(ref)
        html = "" if state is None else _bar(state)
        if html:
            made.append(SlotItem(ref, html.replace(_FIELDS, fields), order=10))
    return made


def anchor(ref: ObjectRef) -> str:
    """The id of an object's bar, for the way back of a form without JavaScript."""
    return f"rse-reactions-{hashlib.blake2b(str(ref).encode(), digest_size=6).hexdigest()}"


def _bar(state: service.State) -> str:
    # A retired reaction is there as long as somebody has it; its owner can still take it back.
    kinds = [kind for kind in state.kinds if state.counts.get(kind.key) or (state.open and not kind.retired)]
    charter = str(state.decision.message) if state.reason == Reason.CHARTER else None
    if not kinds and charter is None:
        return ""
    ref = state.info.ref
    key = (
        ref, current_locale(), request.script_root, state.open, state.names, state.mine, charter, charter and state.info.url,
        *((kind, state.counts.get(kind.key, 0)) for kind in kinds),
    )  # fmt: skip
    html = _made.get(key)
    if html is None:
        # A macro: setting up a whole template for each of many bars costs more than their markup.
        write = get_template_attribute("rse/likes/bar.html", "bar")
        html = str(write(state, kinds, charter, anchor(ref), _FIELDS))
        if len(_made) >= _MOST:
            _made.clear()
        _made[key] = html
    return html
