"""Running a space: requests, members' roles, adding and removing people, lists, groups."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, option
from rse_core.webapi import allow_files, session_read, session_write

from .. import access, bulk, feeding, joining, members
from .base import KEPT, Refused, _, blueprint, cursor, done, frame, me, next_url, number, refused


@blueprint.route("/<space>/manage/requests", methods=["GET", "POST"])
def manage_requests(space: str) -> BaseResponse:
    """Who asks to be let in."""
    person_id = me()
    no: Refused | None = None
    if request.method == "POST":
        try:
            accept = request.form.get("answer") == "accept"
            with session_write() as session:
                joining.answer(
                    session, person_id, space, number("request"), accept=accept, reason=request.form.get("reason", "")
                )
            return done(
                ".manage_requests", _("Let in.") if accept else _("Not let in; the person is told why."), space=space
            )
        except KEPT as error:
            no = refused(error, request.form.get("request", ""))
    with session_read() as session:
        seat = access.managing(session, person_id, space)
        after = request.args.get("after", "")
        found, more = joining.waiting(session, person_id, space, after=int(after) if after.isdecimal() else 0)
        return frame(session, seat, "manage_requests", no=no, found=found, more=more)


@blueprint.route("/<space>/manage/people", methods=["GET", "POST"])
@allow_files
def manage_people(space: str) -> BaseResponse:
    """Members' roles; adding, removing; lists."""
    person_id = me()
    no: Refused | None = None
    if request.method == "POST":
        try:
            return _people(person_id, space)
        except KEPT as error:
            no = refused(error, request.form.get("act", ""))
    typed = request.args.get("q", "")[:100]
    with session_read() as session:
        seat = access.managing(session, person_id, space, least="administers")
        scope = f"people:{seat.space.id}:{typed}"
        after = cursor(scope)
        found, more = members.page(
            session, seat, typed=typed, after=(int(after[0]), str(after[1]), int(after[2])) if after else None, most=30
        )
        return frame(
            session, seat, "manage_people", no=no, found=found, typed=typed, more=next_url(scope, more),
            lists=bulk.latest(session, seat.space.id), directly=option(session, "communities.add_directly"),
        )  # fmt: skip


def _people(person_id: int, space: str) -> BaseResponse:
    form, act = request.form, request.form.get("act", "")
    if act in ("list_add", "list_remove"):
        rows = bulk.parse(_sent())
        with session_write() as session:
            batch = bulk.send(session, person_id, space, act.removeprefix("list_"), rows)
            ident = batch.id
        return done(".manage_list", space=space, batch_id=ident)
    with session_write() as session:
        if act == "role":
            members.set_role(session, person_id, space, number("person_id"), form.get("role", ""))
            return done(".manage_people", _("The role was changed."), space=space)
        if act == "remove":
            members.remove(session, person_id, space, number("person_id"), exclude=form.get("exclude") == "1")
            return done(".manage_people", _("The person is no longer a member."), space=space)
        card = members.add(session, person_id, space, form.get("person", ""), form.get("role") or "member")
    return done(".manage_people", _("%(name)s was added.", name=card.display_name), space=space)


def _sent() -> str | bytes:
    file = request.files.get("file")
    if file is not None and file.filename:
        return file.stream.read(bulk.MOST_BYTES + 1)
    text = request.form.get("list", "")
    if not text.strip():
        raise BadInput(_("The list is empty."), fields={"file": _("Write one username a line.")})
    return text


@blueprint.get("/<space>/manage/lists/<int:batch_id>")
def manage_list(space: str, batch_id: int) -> BaseResponse:
    """What became of each line of a list; as CSV with ``?format=csv``."""
    import csv
    import io

    person_id = me()
    with session_read() as session:
        seat = access.managing(session, person_id, space, least="administers")
        batch = bulk.get(session, person_id, space, batch_id)
        if request.args.get("format") == "csv":
            out = io.StringIO()
            table = csv.writer(out)
            table.writerow(["line", "name", "outcome"])
            for line, name, outcome in batch.report:
                # A cell that begins like a formula is one, for a spreadsheet.
                safe = f"'{name}" if name[:1] in "=+-@\t" else name
                table.writerow([line, safe, str(bulk.OUTCOMES.get(outcome, outcome))])
            answer = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
            answer.headers["Content-Disposition"] = f'attachment; filename="list-{batch.id}.csv"'
            return answer
        return frame(
            session, seat, "manage_list", batch=batch, outcomes=bulk.OUTCOMES, counts=bulk.summary(batch),
            shown=_interesting(batch)[:500],
        )  # fmt: skip


def _interesting(batch: Any) -> list[Any]:
    """What did not come out as was wanted first: that is what one looks for."""
    good = ("added", "removed")
    return sorted(batch.report, key=lambda row: (row[2] in good, row[0]))


@blueprint.route("/<space>/manage/groups", methods=["GET", "POST"])
def manage_groups(space: str) -> BaseResponse:
    """Groups and entities that bring members in: first what one would do, then the change."""
    person_id = me()
    no: Refused | None = None
    effect = going = None
    form, act = request.form, request.form.get("act", "")
    if request.method == "POST":
        try:
            with session_write() as session:
                if act == "preview":
                    effect = feeding.preview(session, person_id, space, form.get("kind", ""), form.get("feeder", ""))
                elif act == "preview_drop":
                    going = feeding.preview_drop(session, person_id, space, number("feeder_id"))
                else:
                    return done(".manage_groups", _feed(session, person_id, space, act), space=space)
        except KEPT as error:
            no = refused(error, act)
    with session_read() as session:
        seat = access.managing(session, person_id, space, least="administers")
        return frame(
            session, seat, "manage_groups", no=no, lines=feeding.lines(session, seat), effect=effect, going=going,
            excluded=feeding.excluded(session, seat), choices=feeding.choices(session), typed=form,
        )  # fmt: skip


def _feed(session: Any, person_id: int, space: str, act: str) -> str:
    form = request.form
    if act == "add":
        feeding.add(
            session, person_id, space, form.get("kind", ""), form.get("feeder", ""), role=form.get("role") or "member"
        )
        return _("Its people become members within minutes.")
    if act == "drop":
        feeding.drop(session, person_id, space, number("feeder_id"))
        return _("It brings nobody in any more; whom it alone brought leaves within minutes.")
    if act == "exclude":
        card = feeding.exclude(session, person_id, space, form.get("person", ""))
        return _("No group brings %(name)s in.", name=card.display_name)
    feeding.include(session, person_id, space, number("person_id"))
    return _("Groups bring this person in again.")
