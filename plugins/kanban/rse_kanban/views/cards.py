"""A card's page, the form of a new one, the form that changes one, and what two who change it at once are shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Response, jsonify, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from rse_core import files, mentions, richtext
from rse_core.api import NotFound, ObjectRef, resolve, seen, translator
from rse_core.webapi import (
    TakenFiles,
    allow_files,
    require_person,
    session_read,
    session_write,
    slot_markup,
    take_files,
    wants_fragment,
)

from .. import about, access, cards, columns, fields, links, listing, placing, reading, templates, versions
from ..access import Seat
from ..changes import CardConflict
from ..models import Board, Card
from ..placing import Place
from .base import (
    KEPT,
    MERGED,
    Typed,
    answer,
    blueprint,
    board_url,
    card_url,
    local,
    mark,
    marked_files,
    merged,
    number,
    touched,
    typed,
    words_of,
    written,
)

_ = translator(str(Path(__file__).parent), "rse_kanban").gettext


@blueprint.get("/cards/<int:card_id>")
def card(card_id: int) -> BaseResponse:
    """One card with everything around it, and its comments."""
    return card_page(card_id)


def card_page(card_id: int, form: Typed | None = None) -> Response:
    """The page of a card.

    :param form: a link or a reference that was refused: it is shown again with what was typed.
    """
    person, form = require_person(), form or Typed()
    with session_read() as session:
        found = reading.sheet(session, person.id, card_id)
        ref = access.card_ref(card_id)
        named = mentions.named_in(session, [ref]).get(ref, {})
        board = found.seat.board
        shown = found.card.state in access.OPEN and board.audience_id is not None
        html = render_template(
            "rse/kanban/card.html", found=found, card=found.card, chair=found.seat, board=board, ref=ref,
            body=richtext.render(found.card.body, named, rich=True), near=links.around(session, person.id, found.card),
            abouts=about.of_card(session, person.id, card_id), local=local,
            columns=placing.columns_of(session, board.id) if found.seat.manageable or found.seat.writable else [],
            comments=slot_markup(session, "comments", [ref]).get(ref, "") if shown else "",
            report=slot_markup(session, "report", [ref]).get(ref, "") if shown and found.card.author_id != person.id else "",
            form=form, kinds=link_kinds(), activity=told_of, earlier=versions.are_there(session, found.seat, found.card),
            may_delete=found.card.author_id == person.id or found.seat.manageable,
        )  # fmt: skip
    return Response(html, status=form.error.status if form.error else 200)


def link_kinds() -> list[tuple[str, str]]:
    """What a card can have to do with another."""
    return [
        ("blocked", _("waits for")), ("blocks", _("holds up")), ("parent", _("is a part of")),
        ("child", _("has as a part")), ("relates", _("has to do with")),
    ]  # fmt: skip


@blueprint.get("/cards/new")
def new_card() -> BaseResponse:
    """The form of a new card: on a board, or, for something that a card is made of, on one that is chosen first."""
    person = require_person()
    made_of = _about(request.args.get("about", ""))
    board = request.args.get("board", "")
    with session_read() as session:
        if not board.isdecimal() or len(board) > 18:
            return _choose_board(session, person.id, made_of)
        chair = access.open_board(session, person.id, int(board))
        chair.need_write()
        form = Typed({"column": request.args.get("column", ""), "lane": request.args.get("lane", "")})
        if made_of is not None:
            info = seen(session, person.id, [made_of]).get(made_of)
            if info is None:
                raise NotFound(_("There is nothing here by this name, or you may not see it."))
            form.values = {**form.values, "title": info.title[:300]}
        return _form(session, chair, None, form, made_of=made_of)


@blueprint.post("/boards/<int:board_id>/cards")
@allow_files
def create_card(board_id: int) -> BaseResponse:
    """Make a card, by the short form under a column or by the whole one."""
    person = require_person()
    quick = request.form.get("quick") == "1"
    made_of = _about(request.form.get("about", ""))
    keys: list[str] = []
    try:
        taken = None if quick else take_files("files")
        keys = taken.keys if taken else []
        with session_write() as session:
            chair = access.open_board(session, person.id, board_id)
            column = number("column", needed=True) or 0
            placing.column_of(session, board_id, column)
            place = Place(column, number("lane"))
            key = request.form.get("idempotency_key") or None
            template = number("template")
            if template is not None:
                made = templates.card_from(session, person.id, template, place, key=key)
            else:
                wanted = written(session, chair, files=keys, alts=taken.alts if taken else {})
                made = cards.create(session, person.id, place, wanted, key=key, about=made_of)
            ident, waits = made.id, made.state == "pending"
    except KEPT as error:
        if quick and wants_fragment():
            raise
        with session_read() as session:
            chair = access.open_board(session, person.id, board_id)
            return _form(session, chair, None, typed(error), made_of=made_of, loose=files.loose(session, person.id, keys))
    said = _("The card waits for a moderator.") if waits else _("The card is there.")
    if quick and wants_fragment():
        return jsonify({"parts": {}, "announce": said, "card": ident})
    return answer(said, board_url(board_id) if quick else card_url(ident))


@blueprint.route("/cards/<int:card_id>/edit", methods=["GET", "POST"])
@allow_files
def edit_card(card_id: int) -> BaseResponse:
    """Change a card. Where somebody else has changed the same field, both are shown and one chooses."""
    person = require_person()
    if request.method == "GET":
        with session_read() as session:
            found = reading.sheet(session, person.id, card_id)
            found.seat.need_write()
            form = words_of(found)
            return _form(session, found.seat, found.card, form, loose=found.files, now=form)
    keys: list[str] = []
    taken: TakenFiles | None = None
    try:
        taken = take_files("files")
        keys = taken.keys
        version = number("version", needed=True)
        with session_write() as session:
            _card, chair = access.open_card(session, person.id, card_id)
            wanted = written(session, chair, files=keys, alts=taken.alts)
            for name in request.form.getlist("theirs"):
                # Chosen: the other's words stay, mine are let go.
                if name in ("title", "body"):
                    wanted = _without(wanted, name)
                elif name == "due":
                    wanted = _without(_without(wanted, "due_at"), "remind")
                elif name in ("people", "labels", "values", "files"):
                    wanted = _without(wanted, name)
            cards.edit(session, person.id, card_id, wanted, version=version)
    except KEPT as error:
        with session_read() as session:
            found = reading.sheet(session, person.id, card_id)
            mine, now = typed(error), words_of(found)
            mine.values = {**mine.values, "files": marked_files(keys, taken.alts if taken is not None else {})}
            attached = list(found.files)
            if taken is not None and touched(mine, "files"):
                attached = [info for info in found.files if info.key in keys]
                attached += files.loose(session, person.id, keys)
            return _form(session, found.seat, found.card, merged(mine, now), loose=attached, found=found, now=now)
    return answer(_("Saved."), card_url(card_id))


@blueprint.get("/boards/<int:board_id>/names")
def people_names(board_id: int) -> BaseResponse:
    """People to name, of those who see the board."""
    person = require_person()
    with session_read() as session:
        chair = access.open_board(session, person.id, board_id)
        found = mentions.suggest(session, chair.board.audience_id, request.args.get("q", ""), viewer_id=person.id)
    return jsonify([{"username": one.username, "name": one.display_name, "entity": one.entity_name} for one in found])


def _choose_board(session: Session, person_id: int, made_of: ObjectRef | None) -> Response:
    info = None
    if made_of is not None:
        info = seen(session, person_id, [made_of]).get(made_of)
        if info is None:
            raise NotFound(_("There is nothing here by this name, or you may not see it."))
    found = [one for one in listing.boards(session, person_id) if _writes(session, person_id, one.board)]
    return Response(render_template("rse/kanban/choose_board.html", found=found, about=made_of, info=info))


def _writes(session: Session, person_id: int, board: Board) -> bool:
    from rse_core.api import can

    if board.audience_id is None:
        return board.owner_id == person_id and can(session, person_id, access.WRITE).allowed
    return can(session, person_id, access.WRITE, access.target_of(board)).allowed


def _form(
    session: Session, chair: Seat, card: Card | None, form: Typed, *, made_of: ObjectRef | None = None, loose: Any = (),
    found: reading.Sheet | None = None, now: Typed | None = None,
) -> Response:  # fmt: skip
    chair.need_write()
    board = chair.board
    conflict = form.error if isinstance(form.error, CardConflict) else None
    theirs: dict[str, str] = {}
    if conflict is not None and found is not None:
        theirs = _theirs(found, conflict.late)
    version = ""
    if card is not None:
        # Only who has been shown what somebody else wrote goes on from there.
        fresh = now is form or conflict is not None
        version = str(card.version) if fresh else request.form.get("version", "")
    about_info = resolve(session, [made_of]).get(made_of) if made_of is not None else None
    html = render_template(
        "rse/kanban/card_form.html", card=card, chair=chair, board=board, form=form, conflict=conflict, theirs=theirs,
        columns=placing.columns_of(session, board.id), lanes=placing.lanes_of(session, board.id),
        labels=columns.labels_of(session, board.id), fields=fields.fields_of(session, board.id), loose=loose,
        about=made_of, about_info=about_info, draft=f"kanban:card:{card.id}" if card else f"kanban:new:{board.id}",
        marks={name: mark(now, name) for name in MERGED} if now is not None else {}, version=version,
        templates=[] if card else templates.of_board(session, chair.person_id, board.id, "card"),
        names_url=url_for("rse_kanban.people_names", board_id=board.id), reminders=reminders(),
    )  # fmt: skip
    return Response(html, status=form.error.status if form.error else 200)


def _theirs(found: reading.Sheet, late: Any) -> dict[str, str]:
    """The fields that somebody else has changed, as they are now."""
    card = found.card
    shown = {
        "title": card.title, "body": card.body, "due": local(card.due_at).replace("T", " ") or "–",
        "people": ", ".join(one.display_name for one in found.people) or "–",
        "labels": ", ".join(label.name for label in found.labels) or "–",
        "values": "; ".join(f"{one.name}: {value}" for one, value in found.fields if value) or "–",
        "files": ", ".join(info.name for info in found.files) or "–",
    }  # fmt: skip
    return {name: shown[name] for name in shown if name in late}


def _without(wanted: cards.Written, name: str) -> cards.Written:
    from dataclasses import replace

    return replace(wanted, **{name: None})  # type: ignore[arg-type]


def told_of(line: Any, who: str) -> str:
    """One line of what happened to a card."""
    data = line.data or {}
    named = {
        "title": _("Title"), "body": _("Text"), "due": _("Due"), "people": _("Who works on it"), "labels": _("Labels"),
        "values": _("Fields of this board"), "files": _("Files"),
    }  # fmt: skip
    changed = ", ".join(named.get(one, one) for one in data.get("fields", ()))
    if line.verb == "moved" and not data.get("from"):
        return _("%(who)s moved it to %(b)s", who=who, b=data.get("to", ""))
    sentences = {
        "board": _("%(who)s made the board", who=who),
        "created": _("%(who)s made the card", who=who), "edited": _("%(who)s changed: %(what)s", who=who, what=changed),
        "moved": _("%(who)s moved it from %(a)s to %(b)s", who=who, a=data.get("from", ""), b=data.get("to", "")),
        "archived": _("%(who)s archived it", who=who), "restored": _("%(who)s restored it", who=who),
        "deleted": _("%(who)s deleted it", who=who), "hidden": _("%(who)s took it down", who=who),
        "ticked": _("%(who)s ticked a line off", who=who),
        "unticked": _("%(who)s opened a line again", who=who), "linked": _("%(who)s linked it", who=who),
        "unlinked": _("%(who)s took a link away", who=who), "parent": _("%(who)s changed what it is a part of", who=who),
        "imported": _("%(who)s imported it", who=who),
    }  # fmt: skip
    return sentences.get(line.verb, who)


def reminders() -> list[tuple[str, str]]:
    """When one can be reminded: minutes, and the words for them."""
    return [
        ("", _("No reminder")), ("0", _("When it is due")), ("60", _("One hour before")), ("1440", _("One day before")),
        ("2880", _("Two days before")), ("10080", _("One week before")),
    ]  # fmt: skip


def _about(text: str) -> ObjectRef | None:
    return ObjectRef.parse(text) if text else None
