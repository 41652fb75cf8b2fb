"""REST: everything that the pages do, by the same services."""

from __future__ import annotations

from typing import Any

from flask import request
from flask.views import MethodView
from flask_smorest import Blueprint

from rse_core.people import names
from rse_core.webapi import Cursor, core, decode_cursor, encode_cursor, require_person, session_read, session_write

from . import (
    access,
    bulk,
    changing,
    creating,
    directory,
    entering,
    feeding,
    figures,
    framing,
    grid,
    inviting,
    joining,
    members,
    succession,
)
from . import schemas as s

blueprint = Blueprint(
    "rse_communities_api", __name__, url_prefix="/communities", description="Communities and their members"
)


def _me() -> int:
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
        person_id = _me()
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
        person_id = _me()
        with session_write() as session:
            made = creating.create(session, person_id, key=request.headers.get("Idempotency-Key"), **body)
            return access.by_id(session, person_id, made.id)


@blueprint.route("/<string:space>")
class OneSpace(MethodView):
    @blueprint.response(200, s.SpaceShownSchema)
    def get(self, space: str) -> access.Seat:
        """A space, as far as you may know of it."""
        with session_read() as session:
            seat = access.find(session, _me(), space)
            if not seat.invited:
                access.require_see(session, seat)
            return seat

    @blueprint.arguments(s.SpaceChangeSchema)
    @blueprint.response(200, s.SpaceShownSchema)
    def patch(self, body: dict[str, Any], space: str) -> access.Seat:
        """Change what it says of itself; another version than the one that was read answers 409."""
        with session_write() as session:
            return creating.change(session, _me(), space, **body)


@blueprint.route("/<string:space>/membership")
class Membership(MethodView):
    @blueprint.arguments(s.AskSchema)
    @blueprint.response(200, s.SpaceShownSchema)
    def put(self, body: dict[str, Any], space: str) -> access.Seat:
        """Join, where everybody may; ask to be let in, where one has to."""
        person_id = _me()
        with session_write() as session:
            seat = access.find(session, person_id, space)
            if seat.profile.join_policy == "request" and not seat.member:
                joining.ask(session, person_id, space, body["message"])
                return access.find(session, person_id, space)
            return joining.join(session, person_id, space)

    @blueprint.response(204)
    def delete(self, space: str) -> None:
        """Leave, or take back your request."""
        person_id = _me()
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
            joining.hear(session, _me(), space, body["notify"])


@blueprint.route("/<string:space>/members")
class Members(MethodView):
    @blueprint.arguments(s.MembersQuery, location="query")
    @blueprint.response(200, s.MembersPageSchema)
    def get(self, query: dict[str, Any], space: str) -> dict[str, Any]:
        """Who is in it; for those who see what is in it."""
        person_id = _me()
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
            return members.add(session, _me(), space, body["person"], body["role"])


@blueprint.route("/<string:space>/members/<int:person_id>")
class OneMember(MethodView):
    @blueprint.arguments(s.MemberRoleSchema)
    @blueprint.response(204)
    def patch(self, body: dict[str, Any], space: str, person_id: int) -> None:
        """Give a member another role."""
        with session_write() as session:
            members.set_role(session, _me(), space, person_id, body["role"])

    @blueprint.response(204)
    def delete(self, space: str, person_id: int) -> None:
        """Take somebody out."""
        with session_write() as session:
            members.remove(session, _me(), space, person_id)


@blueprint.route("/<string:space>/requests")
class Requests(MethodView):
    @blueprint.arguments(s.AfterQuery, location="query")
    @blueprint.response(200, s.RequestSchema(many=True))
    def get(self, query: dict[str, Any], space: str) -> list[joining.Asking]:
        """Who asks to be let in, the eldest first; go on with ``after``, the last id."""
        with session_read() as session:
            return joining.waiting(session, _me(), space, after=query["after"])[0]


@blueprint.route("/<string:space>/requests/<int:request_id>")
class OneRequest(MethodView):
    @blueprint.arguments(s.AnswerSchema)
    @blueprint.response(204)
    def post(self, body: dict[str, Any], space: str, request_id: int) -> None:
        """Let somebody in, or not, with the reason."""
        with session_write() as session:
            joining.answer(session, _me(), space, request_id, accept=body["accept"], reason=body["reason"])


@blueprint.route("/<string:space>/invitations")
class Invitations(MethodView):
    @blueprint.arguments(s.AfterQuery, location="query")
    @blueprint.response(200, s.InvitationSchema(many=True))
    def get(self, query: dict[str, Any], space: str) -> list[inviting.Invited]:
        """Invitations that wait, the latest first; go on with ``after``, the last id."""
        with session_read() as session:
            return inviting.of_space(session, _me(), space, after=query["after"])[0]

    @blueprint.arguments(s.InviteSchema)
    @blueprint.response(201, s.InvitationSchema)
    def post(self, body: dict[str, Any], space: str) -> inviting.Invited:
        """Invite somebody; an invitation that waits already is answered as it is."""
        person_id = _me()
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
            inviting.again(session, _me(), space, invitation_id)

    @blueprint.response(204)
    def delete(self, space: str, invitation_id: int) -> None:
        """Take it back."""
        with session_write() as session:
            inviting.revoke(session, _me(), space, invitation_id)


@blueprint.route("/-/invitations")
class MyInvitations(MethodView):
    @blueprint.response(200, s.InvitationSchema(many=True))
    def get(self) -> list[inviting.Invited]:
        """Invitations that wait for you."""
        with session_read() as session:
            return inviting.of_person(session, _me())


@blueprint.route("/-/invitations/<int:invitation_id>")
class MyInvitation(MethodView):
    @blueprint.arguments(s.InvitationAnswerSchema)
    @blueprint.response(204)
    def post(self, body: dict[str, Any], invitation_id: int) -> None:
        """Accept or decline."""
        with session_write() as session:
            if body["accept"]:
                inviting.accept(session, _me(), invitation_id)
            else:
                inviting.decline(session, _me(), invitation_id)


@blueprint.route("/<string:space>/sheet")
class Sheet(MethodView):
    @blueprint.response(200, s.SheetShownSchema)
    def get(self, space: str) -> framing.Sheet:
        """The framing sheet, and what is still missing."""
        with session_read() as session:
            return _sheet(session, access.managing(session, _me(), space, least="administers"))

    @blueprint.arguments(s.SheetSchema)
    @blueprint.response(200, s.SheetShownSchema)
    def put(self, body: dict[str, Any], space: str) -> framing.Sheet:
        """Fill it in, complete or not; its answers are the rules."""
        version = body.pop("version", None)
        with session_write() as session:
            framing.save(session, _me(), space, body, version=version)
            return _sheet(session, access.managing(session, _me(), space, least="administers"))


def _sheet(session: Any, seat: access.Seat) -> framing.Sheet:
    contact = names(session, [seat.profile.contact_id]).get(seat.profile.contact_id or 0)
    return framing.sheet_of(seat.profile, contact.username if contact else "")


@blueprint.route("/<string:space>/open")
class Opening(MethodView):
    @blueprint.response(200, s.SpaceShownSchema)
    def post(self, space: str) -> access.Seat:
        """Open a space whose framing sheet is complete."""
        with session_write() as session:
            return framing.open_space(session, _me(), space)


@blueprint.route("/<string:space>/rights")
class Rights(MethodView):
    @blueprint.response(200, s.RightSchema(many=True))
    def get(self, space: str) -> list[grid.Row]:
        """Who may do what, and what the space cannot change."""
        with session_read() as session:
            return grid.rows(session, access.managing(session, _me(), space))

    @blueprint.arguments(s.RightsChangeSchema)
    @blueprint.response(200, s.RightSchema(many=True))
    def patch(self, body: dict[str, Any], space: str) -> list[grid.Row]:
        """Change who may; "" takes the space's own rule away."""
        with session_write() as session:
            grid.change(session, _me(), space, body["rights"], version=body["version"])
            return grid.rows(session, access.managing(session, _me(), space))


@blueprint.route("/<string:space>/rights/explain")
class Explain(MethodView):
    @blueprint.arguments(s.ExplainQuery, location="query")
    @blueprint.response(200, s.ExplainedSchema)
    def get(self, query: dict[str, Any], space: str) -> grid.Explained:
        """Why somebody can do something there, or not."""
        with session_read() as session:
            return grid.explain(session, _me(), space, query["capability"], role=query["role"], username=query["person"])


@blueprint.route("/<string:space>/visibility")
class Visibility(MethodView):
    @blueprint.arguments(s.VisibilitySchema(only=("visibility",)), location="query")
    @blueprint.response(200, s.ReachSchema)
    def get(self, query: dict[str, Any], space: str) -> Any:
        """What another visibility would do."""
        with session_read() as session:
            return changing.preview(session, _me(), space, query["visibility"])

    @blueprint.arguments(s.VisibilitySchema)
    @blueprint.response(200, s.SpaceShownSchema)
    def put(self, body: dict[str, Any], space: str) -> access.Seat:
        """Make it public, listed or secret; what stands in it follows at once."""
        with session_write() as session:
            return changing.set_visibility(session, _me(), space, body["visibility"], version=body["version"])


@blueprint.route("/<string:space>/feeders")
class Feeders(MethodView):
    @blueprint.response(200, s.FeederSchema(many=True))
    def get(self, space: str) -> list[feeding.Line]:
        """Groups and entities that bring members in."""
        with session_read() as session:
            return feeding.lines(session, access.managing(session, _me(), space, least="administers"))

    @blueprint.arguments(s.FeederNewSchema)
    @blueprint.response(202, s.FeederSchema(many=True))
    def post(self, body: dict[str, Any], space: str) -> list[feeding.Line]:
        """Let one bring members in; a job does it soon."""
        with session_write() as session:
            feeding.add(session, _me(), space, body["kind"], body["key"], role=body["role"])
            return feeding.lines(session, access.managing(session, _me(), space, least="administers"))


@blueprint.route("/<string:space>/feeders/preview")
class FeederPreview(MethodView):
    @blueprint.arguments(s.FeederNewSchema(only=("kind", "key")), location="query")
    @blueprint.response(200, s.FeedingEffectSchema)
    def get(self, query: dict[str, Any], space: str) -> feeding.Effect:
        """Who would come."""
        with session_read() as session:
            return feeding.preview(session, _me(), space, query["kind"], query["key"])


@blueprint.route("/<string:space>/feeders/<int:feeder_id>")
class OneFeeder(MethodView):
    @blueprint.response(200, s.FeedingEffectSchema)
    def get(self, space: str, feeder_id: int) -> feeding.Effect:
        """Who would leave without it."""
        with session_read() as session:
            return feeding.preview_drop(session, _me(), space, feeder_id)

    @blueprint.response(202)
    def delete(self, space: str, feeder_id: int) -> None:
        """Let it bring nobody in any more; a job takes out whom it alone brought."""
        with session_write() as session:
            feeding.drop(session, _me(), space, feeder_id)


@blueprint.route("/<string:space>/lists")
class Lists(MethodView):
    @blueprint.arguments(s.ListNewSchema)
    @blueprint.response(202, s.ListShownSchema)
    def post(self, body: dict[str, Any], space: str) -> Any:
        """Add or take out many people; up to 500 lines are done at once, more by a job."""
        rows = [[number, line["person"].strip(), line["role"]] for number, line in enumerate(body["people"], start=1)]
        with session_write() as session:
            return bulk.send(session, _me(), space, body["act"], rows)


@blueprint.route("/<string:space>/lists/<int:batch_id>")
class OneList(MethodView):
    @blueprint.response(200, s.ListShownSchema)
    def get(self, space: str, batch_id: int) -> Any:
        """What became of each line."""
        with session_read() as session:
            return bulk.get(session, _me(), space, batch_id)


@blueprint.route("/<string:space>/archive")
class Archive(MethodView):
    @blueprint.response(204)
    def put(self, space: str) -> None:
        """Close it to writing."""
        with session_write() as session:
            changing.archive(session, _me(), space)

    @blueprint.response(204)
    def delete(self, space: str) -> None:
        """Open it again."""
        with session_write() as session:
            changing.unarchive(session, _me(), space)


@blueprint.route("/<string:space>/merge")
class Merge(MethodView):
    @blueprint.arguments(s.MergeSchema, location="query")
    @blueprint.response(200, s.ReachSchema)
    def get(self, query: dict[str, Any], space: str) -> Any:
        """What merging it into another would do."""
        with session_read() as session:
            return changing.preview_merge(session, _me(), space, query["into"])[1]

    @blueprint.arguments(s.MergeSchema)
    @blueprint.response(200, s.SpaceShownSchema)
    def post(self, body: dict[str, Any], space: str) -> access.Seat:
        """Move its members and all that stands in it into another space."""
        with session_write() as session:
            return changing.merge(session, _me(), space, body["into"])


@blueprint.route("/<string:space>/split")
class Split(MethodView):
    @blueprint.arguments(s.SplitSchema)
    @blueprint.response(201, s.SpaceShownSchema)
    def post(self, body: dict[str, Any], space: str) -> access.Seat:
        """Make a new space of some of its members."""
        person_id = _me()
        with session_write() as session:
            made = changing.split(
                session, person_id, space, name=body["name"], usernames=body["people"], leaving=body["leaving"]
            )
            return access.by_id(session, person_id, made.id)


@blueprint.route("/<string:space>/plugins")
class Plugins(MethodView):
    @blueprint.response(200, s.PluginsSchema)
    def get(self, space: str) -> dict[str, Any]:
        """Which plugins the space may choose, and which are on."""
        with session_read() as session:
            seat = access.managing(session, _me(), space, least="administers")
            return _plugins(session, seat)

    @blueprint.arguments(s.PluginsSchema)
    @blueprint.response(204)
    def put(self, body: dict[str, Any], space: str) -> None:
        """Switch plugins on and off in the space; nothing is deleted."""
        with session_write() as session:
            creating.switch_plugins(session, _me(), space, set(body["on"]))


def _plugins(session: Any, seat: access.Seat) -> dict[str, Any]:
    choosable, off = creating.choosable(session), creating.switched_off(session, seat.space.id)
    return {"choosable": choosable, "on": [name for name in choosable if name not in off]}


@blueprint.route("/<string:space>/figures")
class Figures(MethodView):
    @blueprint.response(200, s.FiguresSchema)
    def get(self, space: str) -> figures.Figures:
        """Numbers for those who run it, without names."""
        with session_read() as session:
            return figures.of_space(session, _me(), space)


@blueprint.route("/-/orphans")
class Orphans(MethodView):
    @blueprint.arguments(s.AfterQuery, location="query")
    @blueprint.response(200, s.OrphanSchema(many=True))
    def get(self, query: dict[str, Any]) -> list[succession.Orphan]:
        """Spaces without an owner, for site administrators."""
        with session_read() as session:
            return succession.orphans(session, _me(), after=query["after"])

    @blueprint.arguments(s.AssignSchema)
    @blueprint.response(204)
    def post(self, body: dict[str, Any]) -> None:
        """Give one to somebody."""
        with session_write() as session:
            succession.assign(session, _me(), body["space"], body["person"])


@blueprint.route("/-/quiet")
class QuietSpaces(MethodView):
    @blueprint.arguments(s.AfterQuery, location="query")
    @blueprint.response(200, s.QuietSchema(many=True))
    def get(self, query: dict[str, Any]) -> list[figures.Quiet]:
        """Spaces that have gone quiet, for site administrators."""
        with session_read() as session:
            return figures.quiet(session, _me(), after=query["after"])


@blueprint.route("/-/entries")
class Entries(MethodView):
    @blueprint.arguments(s.EnterSchema)
    @blueprint.response(204)
    def post(self, body: dict[str, Any]) -> None:
        """Look into a private space for an hour, as a site administrator, with a reason that is logged and shown."""
        with session_write() as session:
            entering.enter(session, _me(), body["space"], body["reason"])
