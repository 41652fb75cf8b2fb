"""The bar of reactions under a page or another object."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from flask import get_template_attribute
from sqlalchemy.orm import Session

from rse_core.api import ObjectRef, Reason, SlotItem, Viewer

from . import service

SLOT = "reactions"


def items(slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> list[SlotItem]:
    """Markup for all these objects, in a number of queries that does not depend on how many they are."""
    if slot != SLOT:
        return []
    # A macro: a page of comments has a bar for each, and setting up a whole template for each costs more than its markup.
    write = get_template_attribute("rse/likes/bar.html", "bar")
    made = []
    states = service.states(session, viewer.person_id, refs)
    for ref in refs:
        state = states.get(ref)
        html = "" if state is None else _bar(state, write)
        if html:
            made.append(SlotItem(ref, html, order=10))
    return made


def anchor(ref: ObjectRef) -> str:
    """The id of an object's bar, for the way back of a form without JavaScript."""
    return f"rse-reactions-{hashlib.blake2b(str(ref).encode(), digest_size=6).hexdigest()}"


def _bar(state: service.State, write: Callable[..., str]) -> str:
    # A retired reaction is there as long as somebody has it; its owner can still take it back.
    kinds = [kind for kind in state.kinds if state.counts.get(kind.key) or (state.open and not kind.retired)]
    charter = state.decision.message if state.reason == Reason.CHARTER else None
    if not kinds and charter is None:
        return ""
    return str(write(state, kinds, charter, anchor(state.info.ref)))
