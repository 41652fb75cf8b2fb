"""REST: the definitions, and the figures that the person who asks may see."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView
from flask_smorest import Blueprint

from rse_core.api import Indicator
from rse_core.indicators_figures import Asked
from rse_core.webapi import core, require_person, session_read

from . import access, asking, schemas

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
