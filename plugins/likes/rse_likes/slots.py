"""The bar of reactions under a page or another object."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from flask import get_template_attribute
from sqlalchemy.orm import Session

from rse_core.api import ObjectRef, Reason, SlotItem, Viewer
from rse_core.webapi import FIELDS, KeptMarkup, hidden_fields

from . import service

SLOT = "reactions"
#: Bars of the objects in sight: without the fields of its forms, one is the same for all who may do the same there.
_kept = KeptMarkup()


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
            made.append(SlotItem(ref, html.replace(FIELDS, fields), order=10))
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
        ref, state.open, state.names, state.mine, charter, charter and state.info.url,
        *((kind, state.counts.get(kind.key, 0)) for kind in kinds),
    )  # fmt: skip

    def write() -> str:
        # A macro: setting up a whole template for each of many bars costs more than their markup.
        return str(get_template_attribute("rse/likes/bar.html", "bar")(state, kinds, charter, anchor(ref), FIELDS))

    return _kept(key, write)
