"""REST: what a card said before, and putting it back."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from rse_core.webapi import Cursor, core, decode_cursor, encode_cursor, require_person, session_read, session_write

from . import schemas, shapes, versions
from .rest import blueprint, tagged


@blueprint.route("/cards/<int:card_id>/versions")
class KanbanVersions(MethodView):
    @blueprint.arguments(schemas.KanbanVersionsQuery, location="query")
    @blueprint.response(200, schemas.KanbanVersionsSchema)
    def get(self, query: dict[str, Any], card_id: int) -> dict[str, Any]:
        """What the card said before each change of its title or text, the latest change first."""
        person, scope, settings = require_person(), f"kanban.versions.rest:{card_id}", core().settings
        after = int(decode_cursor(settings, query["cursor"], scope).after[0]) if query["cursor"] else None
        with session_read() as session:
            found = versions.of_card(session, person.id, card_id, after=after, most=query["limit"])
            return {
                "items": [
                    {
                        "id": one.row.id, "title": one.row.title, "body": one.row.body, "person": shapes.person(one.who),
                        "at": one.row.at, "unpublished": one.row.unpublished,
                    }
                    for one in found.changes
                ],
                "next": encode_cursor(settings, Cursor(scope, (found.after,))) if found.after is not None else None,
            }  # fmt: skip


@blueprint.route("/cards/<int:card_id>/versions/<int:revision_id>/restore")
class KanbanPutBack(MethodView):
    @blueprint.arguments(schemas.KanbanPutBackSchema)
    @blueprint.response(200, schemas.KanbanWholeCardSchema)
    def post(self, body: dict[str, Any], card_id: int, revision_id: int) -> Any:
        """Let the card say again what it said then; 409 when its title or text has changed since that version."""
        person = require_person()
        with session_write() as session:
            versions.put_back(session, person.id, card_id, revision_id, version=body["version"])
            return tagged(session, person.id, card_id)
