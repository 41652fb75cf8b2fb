"""REST: search with facets and a cursor, so that the intranet's own search can ask ours."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView
from flask_smorest import Blueprint

from rse_core.webapi import Cursor, core, decode_cursor, encode_cursor, require_person, session_read

from . import schemas, service
from .asking import Asked

blueprint = Blueprint("rse_search_api", __name__, url_prefix="/search", description="Search in what one may see")


@blueprint.route("")
class Search(MethodView):
    @blueprint.arguments(schemas.SearchArguments, location="query")
    @blueprint.response(200, schemas.SearchAnswerSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """What the asking person finds, by cursor; with facets when asked for."""
        person = require_person()
        settings = core().settings
        names = ("kind", "entity", "space", "author", "date", "sort", "since", "until")
        text = query["q"].replace("\x00", " ").strip()
        filters = {name: query[name].replace("\x00", "") if isinstance(query[name], str) else query[name] for name in names}
        asked = Asked(text, **filters)
        after = str(decode_cursor(settings, query["cursor"], asked.scope).after[0]) if query["cursor"] else None
        with session_read() as session:
            results = service.search(session, person.id, asked, after=after, limit=query["limit"], facets=query["facets"])
        return {
            "items": results.hits,
            "next": encode_cursor(settings, Cursor(asked.scope, (results.next,))) if results.next else None,
            "count": results.count,
            "facets": results.facets,
            "better": results.better,
            "fuzzy": results.fuzzy,
        }
