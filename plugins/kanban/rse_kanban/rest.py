"""REST: cards made (once for an idempotency key), read, changed by version, moved, put away."""

from __future__ import annotations

from typing import Any

from flask import request
from flask.views import MethodView
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from rse_core.api import BadInput, ObjectRef, translator
from rse_core.webapi import require_person, session_read, session_write

from . import about, access, bulk, cards, checklist, ending, links, moving, reading, schemas, shapes
from .cards import Written
from .placing import Place

_ = translator(__file__, "rse_kanban").gettext
blueprint = Blueprint("rse_kanban_api", __name__, url_prefix="/kanban", description="Cards")


@blueprint.route("/cards")
class Cards(MethodView):
    @blueprint.arguments(schemas.KanbanCardWriteSchema)
    @blueprint.response(201, schemas.KanbanWholeCardSchema)
    def post(self, body: dict[str, Any]) -> Any:
        """Make a card. With the header Idempotency-Key a repeated call makes one."""
        person = require_person()
        made_of = ObjectRef.parse(body["about"]) if body["about"] else None
        with session_write() as session:
            place = Place(body["column"], body["lane"], first=body["first"])
            chair = _chair_of(session, person.id, body["column"])
            card = cards.create(
                session, person.id, place, _written(session, chair, body), key=request.headers.get("Idempotency-Key"),
                about=made_of,
            )  # fmt: skip
            return tagged(session, person.id, card.id)


@blueprint.route("/cards/<int:card_id>")
class OneCard(MethodView):
    @blueprint.response(200, schemas.KanbanWholeCardSchema)
    def get(self, card_id: int) -> Any:
        """One card; its version is the ETag."""
        person = require_person()
        with session_read() as session:
            return tagged(session, person.id, card_id)

    @blueprint.arguments(schemas.KanbanCardEditSchema(partial=True))
    @blueprint.response(200, schemas.KanbanWholeCardSchema)
    def patch(self, body: dict[str, Any], card_id: int) -> Any:
        """Change a card; what is left out stays. The version that was read comes in the body or in If-Match. Only a field
        that somebody else has changed since answers 409, with the card as it is now as “current”.
        """
        person = require_person()
        version = body.get("version") or matched()
        if version is None:
            raise BadInput(
                _("The version that you read is missing."), remedy=_("Send it as version, or as the header If-Match."),
                fields={"version": _("Missing.")},
            )  # fmt: skip
        with session_write() as session:
            _card, chair = access.open_card(session, person.id, card_id)
            cards.edit(session, person.id, card_id, _written(session, chair, body), version=version)
            if "parent" in body:
                links.set_parent(session, person.id, card_id, body["parent"], version=version)
            return tagged(session, person.id, card_id)

    @blueprint.response(204)
    def delete(self, card_id: int) -> None:
        """Delete a card: one's own, or as somebody who runs the board."""
        person = require_person()
        with session_write() as session:
            ending.delete(session, person.id, card_id, version=matched())


@blueprint.route("/cards/<int:card_id>/move")
class Move(MethodView):
    @blueprint.arguments(schemas.KanbanMoveSchema)
    @blueprint.response(200, schemas.KanbanMovedSchema)
    def post(self, body: dict[str, Any], card_id: int) -> dict[str, Any]:
        """Move a card. 409 with “current” when somebody else has moved it since; 409 “full” when the column is."""
        person = require_person()
        place = Place(body["column"], body["lane"], body["after"], body["before"], body["first"])
        with session_write() as session:
            done = moving.move(session, person.id, card_id, place, version=body["version"], undo=body["undo"])
            return _moved(done)


@blueprint.route("/cards/move")
class MoveMany(MethodView):
    @blueprint.arguments(schemas.KanbanMoveManySchema)
    @blueprint.response(200, schemas.KanbanMovedManySchema)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Move many cards to the end of a column; those that cannot be moved are named, and the others go."""
        person = require_person()
        wanted = [(one["id"], one["version"]) for one in body["cards"]]
        with session_write() as session:
            moved, refused = moving.move_many(session, person.id, wanted, Place(body["column"], body["lane"]))
            return {"moved": [_moved(one) for one in moved], "refused": [
                {"id": one.card_id, "title": one.title, "detail": str(one.error), "code": one.error.code} for one in refused
            ]}  # fmt: skip


@blueprint.route("/cards/many")
class KanbanMany(MethodView):
    @blueprint.arguments(schemas.KanbanManySchema)
    @blueprint.response(200, schemas.KanbanManyDoneSchema)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Archive, restore, delete, assign, label or date many cards; those that cannot be are named, and the others go."""
        person = require_person()
        wanted = [(one["id"], one["version"]) for one in body["cards"]]
        with session_write() as session:
            people: list[int] = []
            if body["people"]:
                _card, chair = access.open_card(session, person.id, wanted[0][0])
                people = cards.find_people(session, chair, body["people"])
            act = bulk.Act(body["act"], people, body["label"], body["due_at"])
            done, refused = bulk.apply(session, person.id, wanted, act)
            return {"done": [{"id": one.id, "version": one.version} for one in done], "refused": [
                {"id": one.card_id, "title": one.title, "detail": str(one.error), "code": one.error.code} for one in refused
            ]}  # fmt: skip


@blueprint.route("/cards/<int:card_id>/about")
class KanbanAbout(MethodView):
    @blueprint.arguments(schemas.KanbanAboutSchema)
    @blueprint.response(204)
    def post(self, body: dict[str, Any], card_id: int) -> None:
        """Say that the card is about a post, a page or a document."""
        person = require_person()
        with session_write() as session:
            ref = ObjectRef.parse(body["ref"]) if body["ref"] else None
            about.add(session, person.id, card_id, ref or about.find(session, body["link"], host=request.host))

    @blueprint.arguments(schemas.KanbanAboutSchema, location="query")
    @blueprint.response(204)
    def delete(self, query: dict[str, Any], card_id: int) -> None:
        """It is not about that any more."""
        person = require_person()
        with session_write() as session:
            about.remove(session, person.id, card_id, ObjectRef.parse(query["ref"]))


@blueprint.route("/cards/<int:card_id>/state")
class State(MethodView):
    @blueprint.arguments(schemas.KanbanStateSchema)
    @blueprint.response(200, schemas.KanbanWholeCardSchema)
    def put(self, body: dict[str, Any], card_id: int) -> Any:
        """Archive a card, or bring it back."""
        person = require_person()
        with session_write() as session:
            if body["state"] == "archived":
                ending.archive(session, person.id, card_id, version=body["version"])
            else:
                ending.restore(session, person.id, card_id, column_id=body["column"])
            return tagged(session, person.id, card_id)


@blueprint.route("/cards/<int:card_id>/links")
class Links(MethodView):
    @blueprint.arguments(schemas.KanbanLinkSchema)
    @blueprint.response(204)
    def post(self, body: dict[str, Any], card_id: int) -> None:
        """Say what it has to do with another card."""
        person = require_person()
        with session_write() as session:
            links.link(session, person.id, card_id, body["other"], body["kind"])

    @blueprint.arguments(schemas.KanbanLinkSchema, location="query")
    @blueprint.response(204)
    def delete(self, query: dict[str, Any], card_id: int) -> None:
        """Take such a link away."""
        person = require_person()
        with session_write() as session:
            links.unlink(session, person.id, card_id, query["other"], query["kind"])


@blueprint.route("/cards/<int:card_id>/items")
class Items(MethodView):
    @blueprint.arguments(schemas.KanbanItemWriteSchema)
    @blueprint.response(201, schemas.KanbanWholeCardSchema)
    def post(self, body: dict[str, Any], card_id: int) -> Any:
        """Add a line to its checklist."""
        person = require_person()
        with session_write() as session:
            people = [body["person"]] if body["person"] else []
            checklist.add(session, person.id, card_id, body["text"] or "", people=people, due_on=body["due_on"])
            return tagged(session, person.id, card_id)


@blueprint.route("/items/<int:item_id>")
class OneItem(MethodView):
    @blueprint.arguments(schemas.KanbanItemWriteSchema)
    @blueprint.response(200, schemas.KanbanWholeCardSchema)
    def patch(self, body: dict[str, Any], item_id: int) -> Any:
        """Change a line of a checklist, or tick it off."""
        person = require_person()
        with session_write() as session:
            item = None
            if any(body[name] is not None for name in ("text", "person", "due_on")):
                people = None if body["person"] is None else [body["person"]]
                item = checklist.change(
                    session, person.id, item_id, text=body["text"], people=people, due_on=body["due_on"], was=body["was"]
                )
            if body["done"] is not None:
                item = checklist.tick(session, person.id, item_id, body["done"])
            if item is None:
                raise BadInput(_("There is nothing to change in this."))
            return tagged(session, person.id, item.card_id)

    @blueprint.response(204)
    def delete(self, item_id: int) -> None:
        """Take a line away."""
        person = require_person()
        with session_write() as session:
            checklist.remove(session, person.id, item_id)


def matched() -> int | None:
    """The version in the header ``If-Match``; None when there is none.

    :raises BadInput: for a header that is no version of ours.
    """
    header = request.headers.get("If-Match", "").strip()
    if not header or header == "*":
        return None
    number = header.removeprefix("W/").strip('"')
    if not number.isdecimal() or len(number) > 9:
        raise BadInput(_("If-Match is not a version of a card."), remedy=_("Send the ETag that came with it."))
    return int(number)


def _chair_of(session: Session, person_id: int, column_id: int) -> access.Seat:
    from .models import Column

    column = session.get(Column, column_id)
    if column is None:
        raise moving.placing_gone()
    return moving.open_there(session, person_id, column)


def _written(session: Session, chair: access.Seat, body: dict[str, Any]) -> Written:
    due, remind = body.get("due_at"), body.get("remind")
    return Written(
        title=body.get("title"), body=body.get("body"),
        due_at=(due or False) if "due_at" in body else None,
        remind=(False if remind is None else remind) if "remind" in body else None,
        people=cards.find_people(session, chair, body["people"]) if "people" in body else None,
        labels=body.get("labels"), values=body.get("fields_"), files=body.get("files"),
    )  # fmt: skip


def tagged(session: Session, person_id: int, card_id: int) -> tuple[dict[str, Any], dict[str, str]]:
    """The card with its version as ETag."""
    found = reading.sheet(session, person_id, card_id)
    near = links.around(session, person_id, found.card)
    blocked = near.hidden_blockers > 0 or any(not one.done for one in near.blockers)
    return shapes.sheet(found, (near.children_done, near.children_all), blocked), {"ETag": f'"{found.card.version}"'}


def _moved(done: moving.Moved) -> dict[str, Any]:
    return {
        "id": done.card.id, "version": done.card.version, "revision": done.revision, "said": done.said,
        "move": done.transition_id,
    }  # fmt: skip
