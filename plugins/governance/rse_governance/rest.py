"""REST for moderators: the queue, reports, the recycle bin, word rules. The rest of governance is in :mod:`rest_running`."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView
from flask_smorest import Blueprint

from rse_core.api import ObjectRef
from rse_core.webapi import Cursor, core, decode_cursor, encode_cursor, require_person, session_read, session_write

from . import appeals, cases, casework, wording
from . import bin as recycle
from . import queue as waiting
from . import schemas as s

blueprint = Blueprint(
    "rse_governance_api", __name__, url_prefix="/governance", description="Moderation, charters, personal data"
)


def me() -> int:
    """Who asks."""
    return require_person().id


def after_of(text: str, scope: str) -> int | None:
    """Where a page begins."""
    return int(decode_cursor(core().settings, text, scope).after[0]) if text else None


def next_of(scope: str, key: int | None) -> str | None:
    """The cursor of the next page."""
    return None if key is None else encode_cursor(core().settings, Cursor(scope, (key,)))


@blueprint.route("/queue")
class Queue(MethodView):
    @blueprint.arguments(s.ModerationQueueQuery, location="query")
    @blueprint.response(200, s.HeldTextsPageSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """What waits for you as a moderator, the eldest first; or what was decided, the latest first."""
        scope = f"held:{query['state']}:{query['kind']}"
        with session_read() as session:
            found = waiting.page(
                session, me(), state=query["state"], kind=query["kind"], after=after_of(query["cursor"], scope),
                most=query["limit"],
            )  # fmt: skip
        return {"lines": found.lines, "elsewhere": found.elsewhere, "next": next_of(scope, found.after)}

    @blueprint.arguments(s.HeldDecisionSchema)
    @blueprint.response(200, s.HeldOutcomeSchema)
    def post(self, body: dict[str, Any]) -> waiting.Outcome:
        """Approve or refuse one or many; what cannot be decided is named."""
        with session_write() as session:
            return waiting.decide_many(session, me(), body["ids"], approve=body["approve"], reason=body["reason"])


@blueprint.route("/queue/<int:held_id>")
class OneHeld(MethodView):
    @blueprint.arguments(s.AmendSchema)
    @blueprint.response(204)
    def patch(self, body: dict[str, Any], held_id: int) -> None:
        """Correct what waits; its author is told."""
        with session_write() as session:
            waiting.amend(session, me(), held_id, body["text"])


@blueprint.route("/queue/mine")
class MyHeld(MethodView):
    @blueprint.arguments(s.ModerationQuery, location="query")
    @blueprint.response(200, s.HeldTextsPageSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """What became of your own texts that were held."""
        with session_read() as session:
            found = waiting.of_author(session, me(), after=after_of(query["cursor"], "my-held"), most=query["limit"])
        return {"lines": found.lines, "elsewhere": 0, "next": next_of("my-held", found.after)}


@blueprint.route("/reports")
class Reports(MethodView):
    @blueprint.arguments(s.ModerationCasesQuery, location="query")
    @blueprint.response(200, s.CasesPageSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """What was reported where you moderate."""
        scope = f"cases:{query['state']}"
        with session_read() as session:
            found = casework.page(
                session, me(), state=query["state"], after=after_of(query["cursor"], scope), most=query["limit"]
            )
        return {"lines": found.lines, "elsewhere": found.elsewhere, "next": next_of(scope, found.after)}

    @blueprint.arguments(s.ReportNewSchema)
    @blueprint.response(201, s.ReportedSchema)
    def post(self, body: dict[str, Any]) -> dict[str, bool]:
        """Report something that you can read; once a person and object."""
        with session_write() as session:
            new = cases.report(session, me(), ObjectRef.parse(body["ref"]), kind=body["kind"], text=body["text"])
        return {"new": new}


@blueprint.route("/reports/mine")
class MyCases(MethodView):
    @blueprint.arguments(s.ModerationQuery, location="query")
    @blueprint.response(200, s.CasesPageSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Decisions on what you wrote."""
        with session_read() as session:
            found = casework.own(session, me(), after=after_of(query["cursor"], "my-cases"), most=query["limit"])
        return {"lines": found.lines, "elsewhere": 0, "next": next_of("my-cases", found.after)}


@blueprint.route("/reports/<int:case_id>")
class OneCase(MethodView):
    @blueprint.arguments(s.CaseDecisionSchema)
    @blueprint.response(204)
    def post(self, body: dict[str, Any], case_id: int) -> None:
        """Leave it in place, or take it down."""
        with session_write() as session:
            cases.decide(session, me(), case_id, hide=body["hide"], reason=body["reason"], version=body["version"])


@blueprint.route("/reports/<int:case_id>/appeal")
class Appeal(MethodView):
    @blueprint.arguments(s.AppealSchema)
    @blueprint.response(204)
    def put(self, body: dict[str, Any], case_id: int) -> None:
        """Appeal against a decision on what you wrote."""
        with session_write() as session:
            appeals.appeal(session, me(), case_id, body["text"], disclose=body["disclose"])

    @blueprint.arguments(s.AppealDecisionSchema)
    @blueprint.response(204)
    def post(self, body: dict[str, Any], case_id: int) -> None:
        """Grant an appeal, or not."""
        with session_write() as session:
            appeals.decide_appeal(session, me(), case_id, grant=body["grant"], reason=body["reason"])


@blueprint.route("/reports/<int:case_id>/disclosure")
class Disclosure(MethodView):
    @blueprint.response(204)
    def put(self, case_id: int) -> None:
        """Let the moderators of the whole site, who decide on your appeal, read what was taken down."""
        with session_write() as session:
            appeals.disclose(session, me(), case_id)


@blueprint.route("/bin")
class Bin(MethodView):
    @blueprint.arguments(s.ModerationQuery, location="query")
    @blueprint.response(200, s.BinPageSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """What was deleted where you moderate and can be shown again."""
        with session_read() as session:
            found, more = recycle.page(session, me(), after=after_of(query["cursor"], "bin"), most=query["limit"])
        return {"items": found, "next": next_of("bin", more)}


@blueprint.route("/bin/<int:binned_id>")
class OneBinned(MethodView):
    @blueprint.arguments(s.RestoreSchema)
    @blueprint.response(204)
    def post(self, body: dict[str, Any], binned_id: int) -> None:
        """Show it again."""
        with session_write() as session:
            recycle.restore(session, me(), binned_id, why=body["why"])


@blueprint.route("/words")
class Words(MethodView):
    @blueprint.response(200, s.WordRuleSchema(many=True))
    def get(self) -> list[wording.Shown]:
        """The word rules of the places that you moderate."""
        with session_read() as session:
            return wording.rules(session, me())

    @blueprint.arguments(s.WordRuleNewSchema)
    @blueprint.response(201, s.WordRuleSchema)
    def post(self, body: dict[str, Any]) -> wording.Shown:
        """Add a rule."""
        with session_write() as session:
            rule = wording.add(session, me(), **body)
            return wording.Shown(rule, body["where"], "")


@blueprint.route("/words/try")
class WordsTry(MethodView):
    @blueprint.arguments(s.WordTrialSchema)
    @blueprint.response(200, s.WordTrialSchema(many=True))
    def post(self, body: dict[str, Any]) -> list[wording.Trial]:
        """What your rules find in a text; nothing of it is kept."""
        with session_read() as session:
            return wording.test(session, me(), body["text"])


@blueprint.route("/words/<int:rule_id>")
class OneWordRule(MethodView):
    @blueprint.arguments(s.WordRuleChangeSchema)
    @blueprint.response(204)
    def put(self, body: dict[str, Any], rule_id: int) -> None:
        """Change a rule; another version than the one that was read answers 409."""
        with session_write() as session:
            wording.change(session, me(), rule_id, **body)

    @blueprint.response(204)
    def delete(self, rule_id: int) -> None:
        """Take a rule away."""
        with session_write() as session:
            wording.remove(session, me(), rule_id)
