"""REST: what the pages do, by the same services and within the same limits."""

from __future__ import annotations

import zlib
from typing import Any

from flask import request
from flask.views import MethodView
from flask_smorest import Blueprint

from rse_core.api import BadInput
from rse_core.webapi import (
    Cursor,
    actor,
    core,
    decode_cursor,
    encode_cursor,
    limit,
    require_person,
    session_read,
    session_write,
    slow_down,
)

from . import access, arrivals, chart, editing, finding, limits, narrowing, objects, profiles, skills
from . import schemas as s
from .finding import Asked

blueprint = Blueprint("rse_directory_api", __name__, url_prefix="/directory", description="The directory of people")
_NAMES = ("entity", "site", "job", "skill", "outside", "former")


def _me() -> int:
    return require_person().id


def _asked(query: dict[str, Any]) -> Asked:
    plain: dict[str, Any] = {name: one.replace("\x00", "") if isinstance(one, str) else one for name, one in query.items()}
    return Asked(text=plain["q"].strip(), **{name: plain[name] for name in _NAMES})


def _page_limit(me: int) -> None:
    limits.admit(core(), me, page=zlib.crc32(request.full_path.encode()))


@blueprint.route("/people")
class People(MethodView):
    @blueprint.arguments(s.DirectoryListQuery, location="query")
    @blueprint.response(200, s.DirectoryPageSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """People, by cursor: those whose name begins as typed, then all others, each in the order of names."""
        me, asked, settings = _me(), _asked(query), core().settings
        after, near = None, finding.TYPED
        if query["cursor"]:
            name, ident, close = decode_cursor(settings, query["cursor"], asked.scope).after
            after, near = (str(name), int(ident)), int(close)
        _page_limit(me)
        with session_read() as session:
            seen = access.sight(session, me)
            hits = finding.find(session, seen, asked, after=after, limit=query["limit"], near=near)
            cards = profiles.cards(session, seen, (*hits.ids, *hits.alike))
        more = Cursor(asked.scope, (*hits.after, hits.near)) if hits.after else None
        return {
            "items": [one for one in cards if one.id not in hits.alike],
            "alike": [one for one in cards if one.id in hits.alike],
            "next": encode_cursor(settings, more) if more else None,
            "near": bool(hits.near),
        }


@blueprint.route("/suggest")
class Suggest(MethodView):
    @blueprint.arguments(s.DirectorySuggestQuery, location="query")
    @blueprint.response(200, s.DirectoryCardSchema(many=True))
    def get(self, query: dict[str, Any]) -> list[profiles.Card]:
        """A few people while somebody types."""
        me = _me()
        slow_down(me, "directory.suggest", most=150, seconds=60)
        with session_read() as session:
            seen = access.sight(session, me)
            return profiles.cards(session, seen, finding.suggest(session, seen, query["q"]))


@blueprint.route("/facets")
class Facets(MethodView):
    @blueprint.arguments(s.DirectoryQuery, location="query")
    @blueprint.response(200, s.DirectoryFacetSchema(many=True))
    def get(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        """What one can narrow a search by."""
        me = _me()
        _page_limit(me)
        with session_read() as session:
            found = narrowing.facets(session, access.sight(session, me), _asked(query))
        return [{"name": name, "values": values} for name, values in found.facets.items()]


@blueprint.route("/people/<string:username>")
class Person(MethodView):
    @blueprint.response(200, s.DirectoryPersonSchema)
    def get(self, username: str) -> profiles.Page:
        """A profile, as far as it is shown to who asks."""
        me = _me()
        with session_read() as session:
            ident = profiles.visible_id(session, access.sight(session, me), username, former=True)
        if ident != me:
            limits.admit(core(), me, subject_id=ident)
        with session_read() as session:
            return profiles.page(session, me, username)


@blueprint.route("/me")
class Me(MethodView):
    @blueprint.arguments(s.DirectoryEditBody)
    @blueprint.response(200, s.DirectoryPersonSchema)
    def patch(self, body: dict[str, Any]) -> profiles.Page:
        """Change one's own profile: only what is named."""
        person, version = require_person(), body.pop("version", None)
        own = body.pop("own", {})
        if clash := set(own) & set(body):
            raise BadInput(f"Named twice: {', '.join(sorted(clash))}.")
        if body.get("birthday"):
            body["birthday"] = (body["birthday"][5:], body["birthday"][2:4])
        with session_write() as session:
            editing.edit(session, person.id, {**body, **own}, version=version)
            return profiles.page(session, person.id, person.username)


@blueprint.route("/people/<string:username>/endorsements")
class Endorsements(MethodView):
    @blueprint.arguments(s.DirectoryEndorseBody)
    @blueprint.response(204)
    def post(self, body: dict[str, Any], username: str) -> None:
        """Confirm what somebody says they know, or take that back."""
        me = _me()
        with session_write() as session:
            limit(session, me, "directory.endorse", most=60, seconds=3600)
            skills.endorse(session, me, username, body["skill"], on=body["on"])


@blueprint.route("/people/<string:username>/questions")
class Questions(MethodView):
    @blueprint.arguments(s.DirectoryAskBody)
    @blueprint.response(201, s.DirectoryAskedSchema)
    def post(self, body: dict[str, Any], username: str) -> dict[str, int]:
        """Ask somebody for their expertise."""
        me = _me()
        with session_write() as session:
            return {"id": skills.ask(session, me, username, body["message"], skill=body["skill"].replace("\x00", ""))}


@blueprint.route("/people/<string:username>/reports")
class Reports(MethodView):
    @blueprint.arguments(s.DirectoryReportBody)
    @blueprint.response(204)
    def post(self, body: dict[str, Any], username: str) -> None:
        """Tell those who moderate of a text."""
        me = _me()
        with session_write() as session:
            objects.report(session, me, username, body["reason"])


@blueprint.route("/expertise")
class Vocabulary(MethodView):
    @blueprint.arguments(s.DirectoryVocabularyQuery, location="query")
    @blueprint.response(200, s.DirectorySkillSchema(many=True))
    def get(self, query: dict[str, Any]) -> list[skills.Expertise]:
        """Words of the vocabulary, by key; ``after`` is the last key of the page before."""
        me = _me()
        with session_read() as session:
            q, after = query["q"].replace("\x00", ""), query["after"].replace("\x00", "")
            return skills.vocabulary(session, me, q, after=after, limit=query["limit"])

    @blueprint.arguments(s.DirectorySkillBody)
    @blueprint.response(201, s.DirectorySkillSchema)
    def post(self, body: dict[str, Any]) -> dict[str, str]:
        """Add a word; for administrators of the site."""
        with session_write() as session:
            return {"key": skills.add(session, actor(), body["label"]), "label": body["label"]}


@blueprint.route("/chart/people")
class ChartOfPeople(MethodView):
    @blueprint.arguments(s.DirectoryChartQuery, location="query")
    @blueprint.response(200, s.DirectoryChartSchema)
    def get(self, query: dict[str, Any]) -> chart.Chart:
        """Who answers to whom, from a username on, or from the top."""
        me = _me()
        _page_limit(me)
        with session_read() as session:
            return chart.by_manager(session, me, query["of"].replace("\x00", ""), depth=query["depth"])


@blueprint.route("/chart/entities")
class ChartOfEntities(MethodView):
    @blueprint.arguments(s.DirectoryChartQuery, location="query")
    @blueprint.response(200, s.DirectoryEntityNodeSchema(many=True))
    def get(self, query: dict[str, Any]) -> list[chart.EntityNode]:
        """Entities with those below them, and who runs each."""
        me = _me()
        _page_limit(me)
        with session_read() as session:
            return chart.by_entity(session, me, query["of"].replace("\x00", ""))


@blueprint.route("/newcomers")
class Newcomers(MethodView):
    @blueprint.response(200, s.DirectoryArrivalSchema(many=True))
    def get(self) -> list[arrivals.Arrival]:
        """Who has come, the latest first."""
        me = _me()
        _page_limit(me)
        with session_read() as session:
            return arrivals.newcomers(session, me)


@blueprint.route("/completion/<string:entity>")
class Completion(MethodView):
    @blueprint.response(200, s.DirectoryCompletionSchema(many=True))
    def get(self, entity: str) -> list[arrivals.Completion]:
        """How far an entity's profiles are filled in; for who administers it."""
        me = _me()
        with session_read() as session:
            return arrivals.completion(session, me, entity.replace("\x00", ""))
