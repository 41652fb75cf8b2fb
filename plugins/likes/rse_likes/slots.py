"""The bar of reactions under a page or another object."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template
from sqlalchemy.orm import Session

from rse_core.api import ObjectRef, Reason, SlotItem, Viewer, core_of, resolve
from rse_core.policy import can_many

from . import service


def items(slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> list[SlotItem]:
    """Markup for all these objects, in a number of queries that does not depend on how many they are."""
    if slot != "reactions":
        return []
    types = core_of(session).plugins.content_types
    wanted = [ref for ref in refs if ref.type in types and types[ref.type].likable]
    infos = resolve(session, wanted)
    shown = [ref for ref in wanted if ref in infos and infos[ref].state in ("published", "archived", "locked")]
    if not shown:
        return []
    counted = service.counts(session, [infos[ref].ref for ref in shown])
    mine = service.mine(session, viewer.person_id, [infos[ref].ref for ref in shown])
    decisions = can_many(session, viewer.person_id, service.CAPABILITY, [infos[ref] for ref in shown])
    kinds = service.kinds(session)
    own_allowed = service.own_content(session)
    made = []
    for ref, decision in zip(shown, decisions, strict=True):
        info = infos[ref]
        if decision.reason in (Reason.UNKNOWN_OBJECT, Reason.PLUGIN_OFF):
            continue
        counts = counted.get(info.ref, {})
        own = info.author_id is not None and info.author_id == viewer.person_id and not own_allowed
        open_ = decision.allowed and info.state == "published" and not own
        asks_charter = decision.reason is Reason.CHARTER and info.state == "published" and not own
        offered = [kind for kind in kinds if (open_ and not kind.retired) or counts.get(kind.key)]
        if not offered and not asks_charter:
            continue
        html = render_template(
            "rse/likes/bar.html",
            ref=info.ref,
            kinds=offered,
            counts=counts,
            total=sum(counts.values()),
            mine=mine.get(info.ref),
            open=open_,
            charter=decision.message if asks_charter else None,
            viewer=viewer,
        )
        made.append(SlotItem(ref, html, order=10))
    return made
