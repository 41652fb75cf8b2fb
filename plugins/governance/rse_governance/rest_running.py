"""REST for running a site: charters, suspensions, the log, tools, personal data. On the same blueprint as :mod:`rest`."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from rse_core.models.governance import Charter
from rse_core.webapi import session_read, session_write

from . import access, charters, keeping, mydata, suspending, tools
from . import log as journal
from . import schemas as s
from .rest import after_of, blueprint, me, next_of


@blueprint.route("/charters")
class Charters(MethodView):
    @blueprint.arguments(s.ChartersQuery, location="query")
    @blueprint.response(200, s.CharterVersionSchema(many=True))
    def get(self, query: dict[str, Any]) -> list[Charter]:
        """The versions of the site's charter or of a space's, the latest first."""
        with session_read() as session:
            return charters.versions(session, me(), space=query["space"], kind=query["kind"])[1]

    @blueprint.arguments(s.CharterNewSchema)
    @blueprint.response(201, s.CharterTextSchema)
    def post(self, body: dict[str, Any]) -> Charter:
        """Publish a version."""
        with session_write() as session:
            return charters.publish(session, me(), **body)


@blueprint.route("/charters/<int:charter_id>")
class OneCharter(MethodView):
    @blueprint.response(200, s.CharterTextSchema)
    def get(self, charter_id: int) -> Charter:
        """One version with its text."""
        with session_read() as session:
            return charters.one(session, me(), charter_id)[0]


@blueprint.route("/charters/<int:charter_id>/acceptance")
class Acceptance(MethodView):
    @blueprint.response(204)
    def put(self, charter_id: int) -> None:
        """Accept the version in force; another one answers 409."""
        with session_write() as session:
            charters.accept(session, me(), charter_id)


@blueprint.route("/charters/<int:charter_id>/rates")
class Rates(MethodView):
    @blueprint.arguments(s.RatesQuery, location="query")
    @blueprint.response(200, s.RatesSchema)
    def get(self, query: dict[str, Any], charter_id: int) -> charters.Rates:
        """How many accepted, by entity and by wave; groups of fewer than ten people are not told."""
        with session_read() as session:
            return charters.rates(session, me(), charter_id, entity=query["entity"])


@blueprint.route("/charters/<int:charter_id>/acceptors")
class Acceptors(MethodView):
    @blueprint.arguments(s.ModerationQuery, location="query")
    @blueprint.response(200, s.AcceptorsPageSchema)
    def get(self, query: dict[str, Any], charter_id: int) -> dict[str, Any]:
        """Who accepted a version, and when; for those who publish it and, of the site's, for its moderators."""
        scope = f"accepted:{charter_id}"
        start = after_of(query["cursor"], scope) or 0
        with session_read() as session:
            rows, more = charters.acceptors(session, me(), charter_id, after=start, most=query["limit"])
        items = [{"person": card, "accepted_at": at} for card, at in rows]
        return {"items": items, "next": next_of(scope, more)}


@blueprint.route("/suspensions")
class Suspensions(MethodView):
    @blueprint.arguments(s.ModerationQuery, location="query")
    @blueprint.response(200, s.SuspensionsPageSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Suspensions that hold now, of the people whom you may suspend."""
        with session_read() as session:
            found, more = suspending.page(session, me(), after=after_of(query["cursor"], "suspensions"))
        return {"items": found, "next": next_of("suspensions", more)}

    @blueprint.arguments(s.SuspensionNewSchema)
    @blueprint.response(204)
    def post(self, body: dict[str, Any]) -> None:
        """Suspend somebody's writing for some days."""
        with session_write() as session:
            suspending.suspend(session, me(), body["person"], days=body["days"], reason=body["reason"])


@blueprint.route("/suspensions/lift")
class Lift(MethodView):
    @blueprint.arguments(s.LiftSchema)
    @blueprint.response(204)
    def post(self, body: dict[str, Any]) -> None:
        """Lift somebody's suspensions."""
        with session_write() as session:
            suspending.lift(session, me(), body["person"], why=body["why"])


@blueprint.route("/log")
class Log(MethodView):
    @blueprint.arguments(s.LogQuery, location="query")
    @blueprint.response(200, s.LogPageSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Every act of moderation, the latest first."""
        asked = journal.Asked(query["act"], query["actor"], query["subject"], query["since"])
        with session_read() as session:
            rows, more = journal.page(
                session, me(), asked, after=after_of(query["cursor"], asked.scope), most=query["limit"]
            )
        return {"items": rows, "next": next_of(asked.scope, more)}


@blueprint.route("/tools")
class Tools(MethodView):
    @blueprint.response(200, s.ToolSchema(many=True))
    def get(self) -> list[Any]:
        """Which tool for which use."""
        me()
        with session_read() as session:
            return list(tools.register(session))

    @blueprint.arguments(s.ToolSchema)
    @blueprint.response(201, s.ToolSchema)
    def post(self, body: dict[str, Any]) -> Any:
        """Add a line."""
        with session_write() as session:
            return tools.save(session, me(), **body)


@blueprint.route("/tools/<int:tool_id>")
class OneTool(MethodView):
    @blueprint.arguments(s.ToolSchema)
    @blueprint.response(200, s.ToolSchema)
    def put(self, body: dict[str, Any], tool_id: int) -> Any:
        """Change a line."""
        with session_write() as session:
            return tools.save(session, me(), tool_id=tool_id, **body)

    @blueprint.response(204)
    def delete(self, tool_id: int) -> None:
        """Take a line away."""
        with session_write() as session:
            tools.remove(session, me(), tool_id)


@blueprint.route("/processing")
class Processing(MethodView):
    @blueprint.response(200, s.ProcessingSchema(many=True))
    def get(self) -> list[keeping.Processing]:
        """The record of processing; for site administrators."""
        with session_read() as session:
            access.require_admin(session, me())
            return keeping.processing(session)


@blueprint.route("/processing/<string:name>")
class OneProcessing(MethodView):
    @blueprint.arguments(s.TermSchema)
    @blueprint.response(204)
    def put(self, body: dict[str, Any], name: str) -> None:
        """After how many days this kind of data goes; 0: never by itself."""
        with session_write() as session:
            keeping.set_term(session, me(), name, body["days"])


@blueprint.route("/me/erase")
class MyErasure(MethodView):
    @blueprint.arguments(s.MyErasureSchema)
    @blueprint.response(204)
    def post(self, body: dict[str, Any]) -> None:
        """Erase your own account, for good, through every plugin; say your username to be sure."""
        with session_write() as session:
            mydata.erase(session, me(), typed=body["username"])


@blueprint.route("/me/export")
class MyExport(MethodView):
    @blueprint.response(200)
    def post(self) -> dict[str, object]:
        """Everything that is kept about you."""
        with session_write() as session:
            return mydata.export(session, me())
