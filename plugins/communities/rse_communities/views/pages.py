"""The directory, a space's page, its members, and making one."""

from __future__ import annotations

from flask import Response, request
from werkzeug.wrappers import Response as BaseResponse

from rse_core import files, mentions, richtext
from rse_core.api import NotFound, can
from rse_core.people import names
from rse_core.webapi import session_read, session_write, slot_markup

from .. import access, creating, directory, entering, inviting, joining, kinds, members
from .base import KEPT, Refused, _, blueprint, canonical, cursor, done, frame, me, next_url, plain, refused


@blueprint.get("/", endpoint="directory")
def directory_page() -> Response:
    """The directory: search, filters, pages."""
    typed, kind = request.args.get("q", "")[:100], request.args.get("kind", "")
    mine = request.args.get("mine") == "1"
    with session_read() as session:
        person_id = me()
        after = cursor(_scope(typed, kind, mine))
        found, more = directory.page(
            session, person_id, typed=typed, kind=kind, mine=mine, after=(str(after[0]), int(after[1])) if after else None
        )
        pictures = directory.pictures(session, found)
        return plain(
            "directory", found=found, pictures=pictures, typed=typed, kind=kind, mine=mine,
            more=next_url(_scope(typed, kind, mine), more), invitations=inviting.of_person(session, person_id),
            may_create=can(session, person_id, access.CREATE).allowed,
            site_admin=access.is_site_admin(session, person_id),
        )  # fmt: skip


def _scope(typed: str, kind: str, mine: bool) -> str:
    return f"spaces:{typed}:{kind}:{int(mine)}"


@blueprint.route("/-/new", methods=["GET", "POST"])
def new() -> BaseResponse:
    """Make a space."""
    no: Refused | None = None
    person_id = me()
    if request.method == "POST":
        try:
            with session_write() as session:
                made = creating.create(
                    session, person_id, name=request.form.get("name", ""), kind=request.form.get("kind", ""),
                    purpose=request.form.get("purpose", ""), visibility=request.form.get("visibility") or None,
                    key=request.form.get("idempotency_key") or None,
                )  # fmt: skip
                key = made.key
            return done(".manage_sheet", _("The space is made. It opens once its framing sheet is complete."), space=key)
        except KEPT as error:
            no = refused(error)
    with session_read() as session:
        from rse_core.api import require

        if no is None:
            require(session, person_id, access.CREATE)
    return plain("new", no=no)


@blueprint.get("/<space>/")
def space(space: str) -> BaseResponse:
    """A space: what it is, what one may do here, and what other plugins show of it."""
    person_id = me()
    with session_read() as session:
        seat = access.find(session, person_id, space)
        moved = canonical(seat, space)
        if moved is not None:
            return moved
        if not seat.invited:
            access.require_see(session, seat)
        return shown(session, seat)


def shown(session, seat, *, no: Refused | None = None) -> Response:  # type: ignore[no-untyped-def]
    """The page of a space for this person."""
    main = slot_markup(session, "space", [seat.ref]).get(seat.ref, "") if seat.inside else ""
    side = slot_markup(session, "space-side", [seat.ref]).get(seat.ref, "") if seat.inside else ""
    runners = members.runners(session, seat.space.id)
    people = names(session, [seat.profile.contact_id])
    pictures = files.of(session, [seat.ref]).get(seat.ref, [])
    waiting = None if seat.member else joining.pending_of(session, seat.space.id, seat.person_id)
    invitation = _invitation(session, seat) if seat.invited else None
    card = names(session, [seat.person_id])[seat.person_id]
    return frame(
        session, seat, "space", no=no, main=main, side=side, runners=runners,
        contact=people.get(seat.profile.contact_id or 0), picture=pictures[0] if pictures else None,
        description=richtext.render(seat.profile.description, {}), rules=richtext.render(seat.profile.rules, {}),
        may_join=access.may_join(session, seat.person_id) if not seat.member and seat.open else None, waiting=waiting,
        refusal=None if seat.member or waiting else joining.last_answer(session, seat.space.id, seat.person_id),
        invitation=invitation, hears=joining.hears(session, seat) if seat.member else "", card=card,
        entries=[e for e in entering.of_space(session, seat.space.id, most=5) if e.row.ended_at is None]
        if seat.manages else [],
    )  # fmt: skip


def _invitation(session, seat):  # type: ignore[no-untyped-def]
    return next((one for one in inviting.of_person(session, seat.person_id) if one.space.id == seat.space.id), None)


@blueprint.get("/<space>/members", endpoint="members")
def members_page(space: str) -> BaseResponse:
    """Who is in a space."""
    person_id = me()
    typed, role = request.args.get("q", "")[:100], request.args.get("role", "")
    role = role if role in kinds.ROLES else ""
    with session_read() as session:
        seat = access.inside(session, person_id, space)
        moved = canonical(seat, space)
        if moved is not None:
            return moved
        scope = f"members:{seat.space.id}:{typed}:{role}"
        after = cursor(scope)
        found, more = members.page(
            session, seat, typed=typed, role=role, after=(int(after[0]), str(after[1]), int(after[2])) if after else None
        )
        return frame(session, seat, "members", found=found, typed=typed, role=role, more=next_url(scope, more))


@blueprint.get("/<space>/names")
def names_here(space: str) -> Response:
    """People to name in forms of a space, for those who run it or may invite: the staff whose name begins so."""
    from flask import jsonify

    from rse_core import audiences

    person_id = me()
    with session_read() as session:
        seat = access.inside(session, person_id, space)
        if not seat.manages and not can(session, person_id, access.INVITE, seat.target):
            raise NotFound(str(access.ABSENT))
        typed = request.args.get("q", "")[:60]
        cards = mentions.suggest(session, audiences.everyone(session), typed, viewer_id=person_id)
    found = [{"username": card.username, "name": card.display_name, "entity": card.entity_name} for card in cards]
    answer = jsonify(found)
    answer.headers["Cache-Control"] = "private, max-age=30"
    return answer
