"""REST: running a space, and what site administrators do about all of them; by the services of the pages."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from rse_core.people import names
from rse_core.webapi import session_read, session_write

from . import access, bulk, changing, creating, entering, feeding, figures, framing, grid, succession
from . import schemas as s
from .rest import blueprint, me

__all__ = ["blueprint"]


@blueprint.route("/<string:space>/sheet")
class Sheet(MethodView):
    @blueprint.response(200, s.SheetShownSchema)
    def get(self, space: str) -> framing.Sheet:
        """The framing sheet, and what is still missing."""
        with session_read() as session:
            return _sheet(session, access.managing(session, me(), space, least="administers"))

    @blueprint.arguments(s.SheetSchema)
    @blueprint.response(200, s.SheetShownSchema)
    def put(self, body: dict[str, Any], space: str) -> framing.Sheet:
        """Fill it in, complete or not; its answers are the rules."""
        version = body.pop("version", None)
        with session_write() as session:
            framing.save(session, me(), space, body, version=version)
            return _sheet(session, access.managing(session, me(), space, least="administers"))


def _sheet(session: Any, seat: access.Seat) -> framing.Sheet:
    contact = names(session, [seat.profile.contact_id]).get(seat.profile.contact_id or 0)
    return framing.sheet_of(seat.profile, contact.username if contact else "")


@blueprint.route("/<string:space>/open")
class Opening(MethodView):
    @blueprint.response(200, s.SpaceShownSchema)
    def post(self, space: str) -> access.Seat:
        """Open a space whose framing sheet is complete."""
        with session_write() as session:
            return framing.open_space(session, me(), space)


@blueprint.route("/<string:space>/rights")
class Rights(MethodView):
    @blueprint.response(200, s.RightSchema(many=True))
    def get(self, space: str) -> list[grid.Row]:
        """Who may do what, and what the space cannot change."""
        with session_read() as session:
            return grid.rows(session, access.managing(session, me(), space))

    @blueprint.arguments(s.RightsChangeSchema)
    @blueprint.response(200, s.RightSchema(many=True))
    def patch(self, body: dict[str, Any], space: str) -> list[grid.Row]:
        """Change who may; "" takes the space's own rule away."""
        with session_write() as session:
            grid.change(session, me(), space, body["rights"], version=body["version"])
            return grid.rows(session, access.managing(session, me(), space))


@blueprint.route("/<string:space>/rights/explain")
class Explain(MethodView):
    @blueprint.arguments(s.ExplainQuery, location="query")
    @blueprint.response(200, s.ExplainedSchema)
    def get(self, query: dict[str, Any], space: str) -> grid.Explained:
        """Why somebody can do something there, or not."""
        with session_read() as session:
            return grid.explain(session, me(), space, query["capability"], role=query["role"], username=query["person"])


@blueprint.route("/<string:space>/visibility")
class Visibility(MethodView):
    @blueprint.arguments(s.VisibilitySchema(only=("visibility",)), location="query")
    @blueprint.response(200, s.ReachSchema)
    def get(self, query: dict[str, Any], space: str) -> Any:
        """What another visibility would do."""
        with session_read() as session:
            return changing.preview(session, me(), space, query["visibility"])

    @blueprint.arguments(s.VisibilitySchema)
    @blueprint.response(200, s.SpaceShownSchema)
    def put(self, body: dict[str, Any], space: str) -> access.Seat:
        """Make it public, listed or secret; what stands in it follows at once."""
        with session_write() as session:
            return changing.set_visibility(session, me(), space, body["visibility"], version=body["version"])


@blueprint.route("/<string:space>/feeders")
class Feeders(MethodView):
    @blueprint.response(200, s.FeederSchema(many=True))
    def get(self, space: str) -> list[feeding.Line]:
        """Groups and entities that bring members in."""
        with session_read() as session:
            return feeding.lines(session, access.managing(session, me(), space, least="administers"))

    @blueprint.arguments(s.FeederNewSchema)
    @blueprint.response(202, s.FeederSchema(many=True))
    def post(self, body: dict[str, Any], space: str) -> list[feeding.Line]:
        """Let one bring members in; a job does it soon."""
        with session_write() as session:
            feeding.add(session, me(), space, body["kind"], body["key"], role=body["role"])
            return feeding.lines(session, access.managing(session, me(), space, least="administers"))


@blueprint.route("/<string:space>/feeders/preview")
class FeederPreview(MethodView):
    @blueprint.arguments(s.FeederNewSchema(only=("kind", "key")), location="query")
    @blueprint.response(200, s.FeedingEffectSchema)
    def get(self, query: dict[str, Any], space: str) -> feeding.Effect:
        """Who would come."""
        with session_read() as session:
            return feeding.preview(session, me(), space, query["kind"], query["key"])


@blueprint.route("/<string:space>/feeders/<int:feeder_id>")
class OneFeeder(MethodView):
    @blueprint.response(200, s.FeedingEffectSchema)
    def get(self, space: str, feeder_id: int) -> feeding.Effect:
        """Who would leave without it."""
        with session_read() as session:
            return feeding.preview_drop(session, me(), space, feeder_id)

    @blueprint.response(202)
    def delete(self, space: str, feeder_id: int) -> None:
        """Let it bring nobody in any more; a job takes out whom it alone brought."""
        with session_write() as session:
            feeding.drop(session, me(), space, feeder_id)


@blueprint.route("/<string:space>/lists")
class Lists(MethodView):
    @blueprint.arguments(s.ListNewSchema)
    @blueprint.response(202, s.ListShownSchema)
    def post(self, body: dict[str, Any], space: str) -> Any:
        """Add or take out many people; up to 500 lines are done at once, more by a job."""
        rows = [[number, line["person"].strip(), line["role"]] for number, line in enumerate(body["people"], start=1)]
        with session_write() as session:
            return bulk.send(session, me(), space, body["act"], rows)


@blueprint.route("/<string:space>/lists/<int:batch_id>")
class OneList(MethodView):
    @blueprint.response(200, s.ListShownSchema)
    def get(self, space: str, batch_id: int) -> Any:
        """What became of each line."""
        with session_read() as session:
            return bulk.get(session, me(), space, batch_id)


@blueprint.route("/<string:space>/archive")
class Archive(MethodView):
    @blueprint.response(204)
    def put(self, space: str) -> None:
        """Close it to writing."""
        with session_write() as session:
            changing.archive(session, me(), space)

    @blueprint.response(204)
    def delete(self, space: str) -> None:
        """Open it again."""
        with session_write() as session:
            changing.unarchive(session, me(), space)


@blueprint.route("/<string:space>/merge")
class Merge(MethodView):
    @blueprint.arguments(s.MergeSchema, location="query")
    @blueprint.response(200, s.ReachSchema)
    def get(self, query: dict[str, Any], space: str) -> Any:
        """What merging it into another would do."""
        with session_read() as session:
            return changing.preview_merge(session, me(), space, query["into"])[1]

    @blueprint.arguments(s.MergeSchema)
    @blueprint.response(200, s.SpaceShownSchema)
    def post(self, body: dict[str, Any], space: str) -> access.Seat:
        """Move its members and all that stands in it into another space."""
        with session_write() as session:
            return changing.merge(session, me(), space, body["into"])


@blueprint.route("/<string:space>/split")
class Split(MethodView):
    @blueprint.arguments(s.SplitSchema)
    @blueprint.response(201, s.SpaceShownSchema)
    def post(self, body: dict[str, Any], space: str) -> access.Seat:
        """Make a new space of some of its members."""
        person_id = me()
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
            seat = access.managing(session, me(), space, least="administers")
            return _plugins(session, seat)

    @blueprint.arguments(s.PluginsSchema)
    @blueprint.response(204)
    def put(self, body: dict[str, Any], space: str) -> None:
        """Switch plugins on and off in the space; nothing is deleted."""
        with session_write() as session:
            creating.switch_plugins(session, me(), space, set(body["on"]))


def _plugins(session: Any, seat: access.Seat) -> dict[str, Any]:
    choosable, off = creating.choosable(session), creating.switched_off(session, seat.space.id)
    return {"choosable": choosable, "on": [name for name in choosable if name not in off]}


@blueprint.route("/<string:space>/figures")
class Figures(MethodView):
    @blueprint.response(200, s.FiguresSchema)
    def get(self, space: str) -> figures.Figures:
        """Numbers for those who run it, without names."""
        with session_read() as session:
            return figures.of_space(session, me(), space)


@blueprint.route("/-/unfinished")
class UnfinishedSheets(MethodView):
    @blueprint.arguments(s.AfterQuery, location="query")
    @blueprint.response(200, s.UnfinishedSchema(many=True))
    def get(self, query: dict[str, Any]) -> list[framing.Unfinished]:
        """Spaces whose framing sheet is to be completed, for site administrators."""
        with session_read() as session:
            return framing.unfinished(session, me(), after=query["after"])


@blueprint.route("/-/orphans")
class Orphans(MethodView):
    @blueprint.arguments(s.AfterQuery, location="query")
    @blueprint.response(200, s.OrphanSchema(many=True))
    def get(self, query: dict[str, Any]) -> list[succession.Orphan]:
        """Spaces without an owner, for site administrators."""
        with session_read() as session:
            return succession.orphans(session, me(), after=query["after"])

    @blueprint.arguments(s.AssignSchema)
    @blueprint.response(204)
    def post(self, body: dict[str, Any]) -> None:
        """Give one to somebody."""
        with session_write() as session:
            succession.assign(session, me(), body["space"], body["person"])


@blueprint.route("/-/quiet")
class QuietSpaces(MethodView):
    @blueprint.arguments(s.AfterQuery, location="query")
    @blueprint.response(200, s.QuietSchema(many=True))
    def get(self, query: dict[str, Any]) -> list[figures.Quiet]:
        """Spaces that have gone quiet, for site administrators."""
        with session_read() as session:
            return figures.quiet(session, me(), after=query["after"])


@blueprint.route("/-/entries")
class Entries(MethodView):
    @blueprint.arguments(s.EnterSchema)
    @blueprint.response(204)
    def post(self, body: dict[str, Any]) -> None:
        """Look into a private space for an hour, as a site administrator, with a reason that is logged and shown."""
        with session_write() as session:
            entering.enter(session, me(), body["space"], body["reason"])
