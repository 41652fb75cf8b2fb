"""REST: the definitions, and the figures that the person who asks may see."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView
from flask_smorest import Blueprint

from rse_core.api import Indicator
from rse_core.indicators_figures import Asked
from rse_core.webapi import actor, core, require_person, session_read, session_write

from . import access, asking, calendars, ics, schemas

blueprint = Blueprint("rse_indicators_api", __name__, url_prefix="/indicators", description="Indicators")


def _definition(one: Indicator) -> dict[str, Any]:
    return {
        "name": one.name, "label": str(one.label), "definition": str(one.definition), "counts": one.counts,
        "denominator": asking.denominator(one), "source": asking.source(core(), one),
    }  # fmt: skip


@blueprint.route("")
class Definitions(MethodView):
    @blueprint.response(200, schemas.IndicatorDefinitionSchema(many=True))
    def get(self) -> list[dict[str, Any]]:
        """Every indicator with its definition, for those who may see any figure."""
        person = require_person()
        with session_read() as session:
            access.require_sight(session, person.id)
        return [_definition(one) for one in asking.definitions(core())]


@blueprint.route("/calendars")
class Calendars(MethodView):
    @blueprint.response(200, schemas.WorkCalendarSchema(many=True))
    def get(self) -> list[calendars.Shown]:
        """The calendars of working days of the site and of the entities that you administer."""
        with session_read() as session:
            return calendars.listing(session, core(), require_person().id)


@blueprint.route("/calendars/<path:entity>")
class OneCalendar(MethodView):
    @blueprint.response(200, schemas.WorkCalendarSchema)
    def get(self, entity: str) -> calendars.Shown:
        """The calendar of an entity; as the site's, without days, where it has none of its own."""
        with session_read() as session:
            return calendars.one(session, require_person().id, entity)

    @blueprint.arguments(schemas.WorkCalendarNewSchema)
    @blueprint.response(200, schemas.WorkCalendarPreviewSchema)
    def put(self, body: dict[str, Any], entity: str) -> calendars.Preview:
        """Give an entity a calendar, or see what that would change."""
        person = require_person()
        days = {one["day"]: one["name"] for one in body["days"]}
        days |= {} if body["ics"] is None else ics.read(body["ics"])
        if body["dry_run"]:
            with session_read() as session:
                return calendars.preview(session, person.id, entity, body["public"], days)
        with session_write() as session:
            return calendars.keep(session, person.id, entity, body["public"], days, actor=actor(), version=body["version"])

    @blueprint.response(204)
    def delete(self, entity: str) -> None:
        """Take an entity's calendar away."""
        with session_write() as session:
            calendars.remove(session, require_person().id, entity, actor=actor())


@blueprint.route("/<string:name>")
class Figures(MethodView):
    @blueprint.arguments(schemas.IndicatorQuery, location="query")
    @blueprint.response(200, schemas.IndicatorTableSchema)
    def get(self, query: dict[str, Any], name: str) -> dict[str, Any]:
        """One indicator in a period, for the places that the person who asks may see."""
        person = require_person()
        first, last = asking.period(query["first"], query["last"])
        with session_read() as session:
            sight = access.require_sight(session, person.id)
            by = query["by"] or next(iter(sight.ways), "site")
            asked = Asked(name, first, last, by, query["people"], sight.targets(by))
            found = asking.table(session, core(), asked)
        return {
            "indicator": _definition(found.indicator), "by": by, "first": first, "last": last, "people": query["people"],
            "as_of": found.answer.day, "figures": [row.as_dict() for row in found.rows],
        }  # fmt: skip
