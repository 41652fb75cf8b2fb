"""REST: spaces, and who comes and goes. What those who run one do is in :mod:`rest_running`."""

from __future__ import annotations

from typing import Any

from flask import request
from flask.views import MethodView
from flask_smorest import Blueprint

from rse_core.people import names
from rse_core.webapi import Cursor, core, decode_cursor, encode_cursor, require_person, session_read, session_write

from . import access, creating, directory, inviting, joining, members
from . import schemas as s

blueprint = Blueprint(
    "rse_communities_api", __name__, url_prefix="/communities", description="Communities and their members"
)


def me() -> int:
    """Who asks."""
    return require_person().id


def _after(text: str, scope: str) -> tuple[Any, ...] | None:
    return decode_cursor(core().settings, text, scope).after if text else None


def _next(scope: str, after: tuple[Any, ...] | None) -> str | None:
    return encode_cursor(core().settings, Cursor(scope, after)) if after else None


@blueprint.route("")
class Spaces(MethodView):
    @blueprint.arguments(s.SpacesQuery, location="query")
    @blueprint.response(200, s.SpacesPageSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Spaces that you may know of, by name."""
        person_id = me()
        scope = f"spaces:{query['q']}:{query['kind']}:{int(query['mine'])}"
        after = _after(query["cursor"], scope)
        with session_read() as session:
            found, more = directory.page(
                session, person_id, typed=query["q"], kind=query["kind"], mine=query["mine"],
                after=(str(after[0]), int(after[1])) if after else None, most=query["limit"],
            )  # fmt: skip
        return {"items": found, "next": _next(scope, more)}

    @blueprint.arguments(s.SpaceNewSchema)
    @blueprint.response(201, s.SpaceShownSchema)
    def post(self, body: dict[str, Any]) -> access.Seat:
        """Make a space. With the header Idempotency-Key a repeated call makes one."""
        person_id = me()
        with session_write() as session:
            made = creating.create(session, person_id, key=request.headers.get("Idempotency-Key"), **body)
            return access.by_id(session, person_id, made.id)


@blueprint.route("/<string:space>")
class OneSpace(MethodView):
    @blueprint.response(200, s.SpaceShownSchema)
    def get(self, space: str) -> access.Seat:
        """A space, as far as you may know of it."""
        with session_read() as session:
            seat = access.find(session, me(), space)
            if not seat.invited:
                access.require_see(session, seat)
            return seat

    @blueprint.arguments(s.SpaceChangeSchema)
    @blueprint.response(200, s.SpaceShownSchema)
    def patch(self, body: dict[str, Any], space: str) -> access.Seat:
        """Change what it says of itself; another version than the one that was read answers 409."""
        with session_write() as session:
            return creating.change(session, me(), space, **body)


@blueprint.route("/<string:space>/membership")
class Membership(MethodView):
    @blueprint.arguments(s.AskSchema)
    @blueprint.response(200, s.SpaceShownSchema)
    def put(self, body: dict[str, Any], space: str) -> access.Seat:
        """Join, where everybody may; ask to be let in, where one has to."""
        person_id = me()
        with session_write() as session:
            seat = access.find(session, person_id, space)
            if seat.profile.join_policy == "request" and not seat.member:
                joining.ask(session, person_id, space, body["message"])
                return access.find(session, person_id, space)
            return joining.join(session, person_id, space)

    @blueprint.response(204)
    def delete(self, space: str) -> None:
        """Leave, or take back your request."""
        person_id = me()
        with session_write() as session:
            joining.take_back(session, person_id, space)
            joining.leave(session, person_id, space)


@blueprint.route("/<string:space>/notify")
class Notify(MethodView):
    @blueprint.arguments(s.HearSchema)
    @blueprint.response(204)
    def put(self, body: dict[str, Any], space: str) -> None:
        """What you want to be told of there."""
        with session_write() as session:
            joining.hear(session, me(), space, body["notify"])


@blueprint.route("/<string:space>/members")
class Members(MethodView):
    @blueprint.arguments(s.MembersQuery, location="query")
    @blueprint.response(200, s.MembersPageSchema)
    def get(self, query: dict[str, Any], space: str) -> dict[str, Any]:
        """Who is in it; for those who see what is in it."""
        person_id = me()
        with session_read() as session:
            seat = access.inside(session, person_id, space)
            scope = f"members:{seat.space.id}:{query['q']}:{query['role']}"
            after = _after(query["cursor"], scope)
            found, more = members.page(
                session, seat, typed=query["q"], role=query["role"],
                after=(int(after[0]), str(after[1]), int(after[2])) if after else None, most=query["limit"],
            )  # fmt: skip
        return {"items": found, "next": _next(scope, more)}

    @blueprint.arguments(s.MemberNewSchema)
    @blueprint.response(201, s.CommunityPersonSchema)
    def post(self, body: dict[str, Any], space: str) -> Any:
        """Add somebody without asking them."""
        with session_write() as session:
            return members.add(session, me(), space, body["person"], body["role"])


@blueprint.route("/<string:space>/members/<int:person_id>")
class OneMember(MethodView):
    @blueprint.arguments(s.MemberRoleSchema)
    @blueprint.response(204)
    def patch(self, body: dict[str, Any], space: str, person_id: int) -> None:
        """Give a member another role."""
        with session_write() as session:
            members.set_role(session, me(), space, person_id, body["role"])

    @blueprint.response(204)
    def delete(self, space: str, person_id: int) -> None:
        """Take somebody out."""
        with session_write() as session:
            members.remove(session, me(), space, person_id)


@blueprint.route("/<string:space>/requests")
class Requests(MethodView):
    @blueprint.arguments(s.AfterQuery, location="query")
    @blueprint.response(200, s.RequestSchema(many=True))
    def get(self, query: dict[str, Any], space: str) -> list[joining.Asking]:
        """Who asks to be let in, the eldest first; go on with ``after``, the last id."""
        with session_read() as session:
            return joining.waiting(session, me(), space, after=query["after"])[0]


@blueprint.route("/<string:space>/requests/<int:request_id>")
class OneRequest(MethodView):
    @blueprint.arguments(s.AnswerSchema)
    @blueprint.response(204)
    def post(self, body: dict[str, Any], space: str, request_id: int) -> None:
        """Let somebody in, or not, with the reason."""
        with session_write() as session:
            joining.answer(session, me(), space, request_id, accept=body["accept"], reason=body["reason"])


@blueprint.route("/<string:space>/invitations")
class Invitations(MethodView):
    @blueprint.arguments(s.AfterQuery, location="query")
    @blueprint.response(200, s.InvitationSchema(many=True))
    def get(self, query: dict[str, Any], space: str) -> list[inviting.Invited]:
        """Invitations that wait, the latest first; go on with ``after``, the last id."""
        with session_read() as session:
            return inviting.of_space(session, me(), space, after=query["after"])[0]

    @blueprint.arguments(s.InviteSchema)
    @blueprint.response(201, s.InvitationSchema)
    def post(self, body: dict[str, Any], space: str) -> inviting.Invited:
        """Invite somebody; an invitation that waits already is answered as it is."""
        person_id = me()
        with session_write() as session:
            row = inviting.invite(session, person_id, space, body["person"], role=body["role"], message=body["message"])
            seat = access.find(session, person_id, space)
            cards = names(session, [row.person_id, row.invited_by])
            return inviting.Invited(row, cards.get(row.person_id), cards.get(row.invited_by or 0), seat.space)


@blueprint.route("/<string:space>/invitations/<int:invitation_id>")
class OneInvitation(MethodView):
    @blueprint.response(204)
    def post(self, space: str, invitation_id: int) -> None:
        """Send it again."""
        with session_write() as session:
            inviting.again(session, me(), space, invitation_id)

    @blueprint.response(204)
    def delete(self, space: str, invitation_id: int) -> None:
        """Take it back."""
        with session_write() as session:
            inviting.revoke(session, me(), space, invitation_id)


@blueprint.route("/-/invitations")
class MyInvitations(MethodView):
    @blueprint.response(200, s.InvitationSchema(many=True))
    def get(self) -> list[inviting.Invited]:
        """Invitations that wait for you."""
        with session_read() as session:
            return inviting.of_person(session, me())


@blueprint.route("/-/invitations/<int:invitation_id>")
class MyInvitation(MethodView):
    @blueprint.arguments(s.InvitationAnswerSchema)
    @blueprint.response(204)
    def post(self, body: dict[str, Any], invitation_id: int) -> None:
        """Accept or decline."""
        with session_write() as session:
            if body["accept"]:
                inviting.accept(session, me(), invitation_id)
            else:
                inviting.decline(session, me(), invitation_id)
