"""Charters: read, compared, published; who accepted."""

from __future__ import annotations

from flask import Response, request
from werkzeug.wrappers import Response as BaseResponse

from rse_core import charter as core_charter
from rse_core.api import BadInput
from rse_core.webapi import markdown, session_read, session_write

from .. import charters as service
from .base import KEPT, Refused, _, after, blueprint, done, frame, me, next_url, number, refused, table


@blueprint.route("/charters", methods=["GET", "POST"])
def charters() -> BaseResponse:
    """The versions of the site's charter, of a space's, or of an editorial guide; and the form for the next one."""
    person_id = me()
    space, kind = request.values.get("space", ""), request.values.get("kind", "use")
    if kind not in core_charter.KINDS:
        raise BadInput(_("“%(kind)s” is none of use and editorial.", kind=kind[:20]))
    no: Refused | None = None
    if request.method == "POST":
        try:
            with session_write() as session:
                service.publish(
                    session, person_id, space=space, kind=kind, title=request.form.get("title", ""),
                    body=request.form.get("body", ""), version=request.form.get("version", ""), seen=number("seen"),
                )  # fmt: skip
            return done("charters", _("The version is published."), space=space or None, kind=kind)
        except KEPT as error:
            no = refused(error)
    with session_read() as session:
        place, found = service.versions(session, person_id, space=space, kind=kind)
        present = core_charter.in_force(session, kind=kind, space_id=place.space_id)
        return frame(session, "charters", no=no, place=place, versions=found, present=present, kind=kind)


@blueprint.get("/charters/<int:charter_id>")
def charter(charter_id: int) -> Response:
    """One version."""
    with session_read() as session:
        found, place = service.one(session, me(), charter_id)
        return frame(session, "charter", charter=found, place=place, text=markdown(found.body))


@blueprint.get("/charters/compare")
def compare() -> Response:
    """What changed between two versions."""
    person_id = me()
    numbers = [request.args.get(name, "") for name in ("from", "to")]
    if not all(one.isdecimal() and len(one) < 19 for one in numbers):
        raise BadInput(_("Choose two versions."))
    with session_read() as session:
        (old, place), (new, _same) = (service.one(session, person_id, int(one)) for one in numbers)
        if (old.space_id, old.kind) != (new.space_id, new.kind):
            raise BadInput(_("Choose two versions of the same charter."))
        pieces = service.difference(old.body, new.body)
        return frame(session, "compare", old=old, new=new, place=place, pieces=pieces)


@blueprint.get("/charters/<int:charter_id>/accepted")
def accepted(charter_id: int) -> Response:
    """Who accepted a version, and when."""
    scope = f"accepted:{charter_id}"
    with session_read() as session:
        found, place = service.one(session, me(), charter_id)
        rows, more = service.acceptors(session, me(), charter_id, after=after(scope) or 0)
        return frame(session, "accepted", charter=found, place=place, rows=rows, more=next_url(scope, more))


@blueprint.get("/charters/<int:charter_id>/accepted.csv")
def accepted_csv(charter_id: int) -> Response:
    """The same, whole, as CSV."""
    rows, start = [], 0
    with session_read() as session:
        while True:
            found, more = service.acceptors(session, me(), charter_id, after=start, most=1_000)
            rows += [(card.username, card.display_name, at.isoformat()) for card, at in found]
            if more is None:
                break
            start = more
    return table("accepted", ("username", "name", "accepted_at"), rows)


@blueprint.get("/charters/<int:charter_id>/rates")
def rates(charter_id: int) -> Response:
    """How many accepted a version, by entity; small groups are not shown."""
    with session_read() as session:
        found, place = service.one(session, me(), charter_id)
        told = service.rates(session, me(), charter_id, entity=request.args.get("entity", ""))
        return frame(session, "rates", charter=found, place=place, rates=told, smallest=service.SMALLEST)
