"""Schemas of the REST resources."""

from __future__ import annotations

import marshmallow as ma

from .bulk import ACTS
from .columns import PHASES

ID = {"description": "its number"}


class KanbanPersonSchema(ma.Schema):
    id = ma.fields.Integer()
    username = ma.fields.String()
    name = ma.fields.String()


class KanbanBoardWriteSchema(ma.Schema):
    title = ma.fields.String(required=True)
    description = ma.fields.String(load_default="")
    place = ma.fields.String(required=True, metadata={"description": "me, space:KEY or entity:KEY"})
    template = ma.fields.Integer(load_default=None, allow_none=True, metadata={"description": "a template to make it from"})


class KanbanBoardEditSchema(ma.Schema):
    title = ma.fields.String(load_default=None, allow_none=True)
    description = ma.fields.String(load_default=None, allow_none=True)
    default_role = ma.fields.String(
        load_default=None, allow_none=True, validate=ma.validate.OneOf(("reader", "editor")),
        metadata={"description": "of those for whom no role is named"},
    )  # fmt: skip
    state = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.OneOf(("open", "archived")))
    version = ma.fields.Integer(load_default=None, allow_none=True)


class KanbanBoardSchema(ma.Schema):
    id = ma.fields.Integer()
    title = ma.fields.String()
    description = ma.fields.String()
    state = ma.fields.String(metadata={"description": "open or archived"})
    place = ma.fields.String(metadata={"description": "space, entity or me"})
    role = ma.fields.String(metadata={"description": "reader, editor or manager: what one is on it"})
    version = ma.fields.Integer()
    revision = ma.fields.Integer(metadata={"description": "grows with every change of anything on it"})


class KanbanBoardsSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(KanbanBoardSchema))


class KanbanColumnWriteSchema(ma.Schema):
    name = ma.fields.String(required=True)
    phase = ma.fields.String(load_default="todo", validate=ma.validate.OneOf(PHASES))
    wip_limit = ma.fields.Integer(load_default=None, allow_none=True, metadata={"description": "most cards in it"})
    wip_hard = ma.fields.Boolean(load_default=False, metadata={"description": "no further card comes in"})
    position = ma.fields.Integer(load_default=None, allow_none=True)


class KanbanColumnSchema(ma.Schema):
    id = ma.fields.Integer()
    name = ma.fields.String()
    phase = ma.fields.String()
    wip_limit = ma.fields.Integer(allow_none=True)
    wip_hard = ma.fields.Boolean()
    count = ma.fields.Integer(metadata={"description": "all cards in it, shown or not"})


class KanbanLaneWriteSchema(ma.Schema):
    name = ma.fields.String(required=True)
    position = ma.fields.Integer(load_default=None, allow_none=True)


class KanbanLaneSchema(ma.Schema):
    id = ma.fields.Integer()
    name = ma.fields.String()


class KanbanLabelWriteSchema(ma.Schema):
    name = ma.fields.String(required=True)
    hue = ma.fields.Integer(load_default=6, validate=ma.validate.Range(0, 11))


class KanbanLabelSchema(ma.Schema):
    id = ma.fields.Integer()
    name = ma.fields.String()
    hue = ma.fields.Integer()


class KanbanIntoQuery(ma.Schema):
    into = ma.fields.Integer(load_default=None, allow_none=True, metadata={"description": "where its cards go"})


class KanbanCardSchema(ma.Schema):
    id = ma.fields.Integer()
    board = ma.fields.Integer()
    column = ma.fields.Integer()
    lane = ma.fields.Integer(allow_none=True)
    title = ma.fields.String()
    state = ma.fields.String(metadata={"description": "open, pending, refused, hidden, archived or deleted"})
    version = ma.fields.Integer()
    due_at = ma.fields.String(allow_none=True)
    done = ma.fields.Boolean()
    labels = ma.fields.List(ma.fields.Nested(KanbanLabelSchema))
    people = ma.fields.List(ma.fields.Nested(KanbanPersonSchema))
    checklist = ma.fields.List(ma.fields.Integer(), metadata={"description": "lines done, and all"})
    parts = ma.fields.List(ma.fields.Integer(), metadata={"description": "cards below it done, and all"})
    blocked = ma.fields.Boolean()


class KanbanWholeBoardSchema(KanbanBoardSchema):
    columns = ma.fields.List(ma.fields.Nested(KanbanColumnSchema))
    lanes = ma.fields.List(ma.fields.Nested(KanbanLaneSchema))
    labels = ma.fields.List(ma.fields.Nested(KanbanLabelSchema))
    cards = ma.fields.List(ma.fields.Nested(KanbanCardSchema))


class KanbanBoardQuery(ma.Schema):
    q = ma.fields.String(load_default="", metadata={"description": "a filter: who:me label:urgent due:late"})


class KanbanItemSchema(ma.Schema):
    id = ma.fields.Integer()
    text = ma.fields.String()
    done = ma.fields.Boolean()
    person = ma.fields.Nested(KanbanPersonSchema, allow_none=True)
    due_on = ma.fields.String(allow_none=True)


class KanbanItemWriteSchema(ma.Schema):
    text = ma.fields.String(load_default=None, allow_none=True)
    person = ma.fields.String(load_default=None, allow_none=True, metadata={"description": "a username, or empty"})
    due_on = ma.fields.Date(load_default=None, allow_none=True)
    done = ma.fields.Boolean(load_default=None, allow_none=True)
    was = ma.fields.String(load_default=None, allow_none=True, metadata={"description": "the text as it was read"})


class KanbanWholeCardSchema(KanbanCardSchema):
    body = ma.fields.String(metadata={"description": "Markdown"})
    remind = ma.fields.Integer(allow_none=True, metadata={"description": "minutes before it is due"})
    parent = ma.fields.Integer(allow_none=True)
    author = ma.fields.Nested(KanbanPersonSchema, allow_none=True)
    items = ma.fields.List(ma.fields.Nested(KanbanItemSchema))
    fields_ = ma.fields.Dict(data_key="fields", metadata={"description": "the board's own, by name"})
    files = ma.fields.List(ma.fields.Dict())
    created_at = ma.fields.String()
    started_at = ma.fields.String(allow_none=True)
    done_at = ma.fields.String(allow_none=True)
    reason = ma.fields.String(metadata={"description": "why a moderator refused it"})


class KanbanCardEditSchema(ma.Schema):
    """What is left out stays as it is."""

    title = ma.fields.String()
    body = ma.fields.String()
    due_at = ma.fields.AwareDateTime(allow_none=True)
    remind = ma.fields.Integer(allow_none=True, metadata={"description": "minutes before it is due"})
    people = ma.fields.List(ma.fields.String(), metadata={"description": "usernames"})
    labels = ma.fields.List(ma.fields.Integer(), metadata={"description": "numbers of labels of the board"})
    fields_ = ma.fields.Dict(
        keys=ma.fields.Integer(), values=ma.fields.String(), data_key="fields", metadata={"description": "by number"}
    )
    files = ma.fields.List(ma.fields.String(), metadata={"description": "their keys"})
    parent = ma.fields.Integer(allow_none=True)
    version = ma.fields.Integer(metadata={"description": "the version that was read; or the header If-Match"})


class KanbanCardWriteSchema(KanbanCardEditSchema):
    title = ma.fields.String(required=True)
    column = ma.fields.Integer(required=True, metadata=ID)
    lane = ma.fields.Integer(load_default=None, allow_none=True)
    first = ma.fields.Boolean(load_default=False, metadata={"description": "at the top and not at the end"})
    about = ma.fields.String(load_default="", metadata={"description": "TYPE:ID of what it is made of"})


class KanbanMoveSchema(ma.Schema):
    column = ma.fields.Integer(required=True, metadata=ID)
    lane = ma.fields.Integer(load_default=None, allow_none=True)
    after = ma.fields.Integer(load_default=None, allow_none=True, metadata={"description": "the card above"})
    before = ma.fields.Integer(load_default=None, allow_none=True, metadata={"description": "the card below"})
    first = ma.fields.Boolean(load_default=False)
    version = ma.fields.Integer(load_default=None, allow_none=True, metadata={"description": "of the card, as it was read"})
    undo = ma.fields.Integer(load_default=None, allow_none=True, metadata={"description": "the move that is taken back"})


class KanbanMovedSchema(ma.Schema):
    id = ma.fields.Integer()
    version = ma.fields.Integer()
    revision = ma.fields.Integer(metadata={"description": "of the board"})
    said = ma.fields.String(metadata={"description": "a limit that was passed"})
    move = ma.fields.Integer(allow_none=True, metadata={"description": "its number, to take it back with"})


class KanbanOneOfMany(ma.Schema):
    id = ma.fields.Integer(required=True)
    version = ma.fields.Integer(load_default=None, allow_none=True)


class KanbanMoveManySchema(ma.Schema):
    cards = ma.fields.List(ma.fields.Nested(KanbanOneOfMany), required=True)
    column = ma.fields.Integer(required=True)
    lane = ma.fields.Integer(load_default=None, allow_none=True)


class KanbanRefusedSchema(ma.Schema):
    id = ma.fields.Integer()
    title = ma.fields.String()
    detail = ma.fields.String()
    code = ma.fields.String()


class KanbanMovedManySchema(ma.Schema):
    moved = ma.fields.List(ma.fields.Nested(KanbanMovedSchema))
    refused = ma.fields.List(ma.fields.Nested(KanbanRefusedSchema))


class KanbanStateSchema(ma.Schema):
    state = ma.fields.String(validate=ma.validate.OneOf(("open", "archived")), required=True)
    column = ma.fields.Integer(load_default=None, allow_none=True)
    version = ma.fields.Integer(load_default=None, allow_none=True)


class KanbanLinkSchema(ma.Schema):
    other = ma.fields.Integer(required=True)
    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(("blocks", "blocked", "relates")))


class KanbanMineSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(KanbanCardSchema))


class KanbanLoadSchema(ma.Schema):
    person = ma.fields.Nested(KanbanPersonSchema)
    todo = ma.fields.Integer()
    doing = ma.fields.Integer()
    late = ma.fields.Integer()
    soon = ma.fields.Integer(metadata={"description": "due within seven days"})


class KanbanTeamSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(KanbanLoadSchema))


class KanbanTeamQuery(ma.Schema):
    board = ma.fields.Integer(load_default=None, allow_none=True)
    space = ma.fields.String(load_default="")


class KanbanHistoryQuery(ma.Schema):
    cursor = ma.fields.String(load_default="")
    limit = ma.fields.Integer(load_default=50, validate=ma.validate.Range(1, 200))


class KanbanHistoryLineSchema(ma.Schema):
    card = ma.fields.Integer(allow_none=True)
    title = ma.fields.String()
    verb = ma.fields.String(metadata={"description": "created, edited, moved, archived, restored, deleted, ticked…"})
    data = ma.fields.Dict()
    person = ma.fields.Nested(KanbanPersonSchema, allow_none=True)
    at = ma.fields.DateTime()


class KanbanHistorySchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(KanbanHistoryLineSchema))
    next = ma.fields.String(allow_none=True)


class KanbanManySchema(ma.Schema):
    cards = ma.fields.List(ma.fields.Nested(KanbanOneOfMany), required=True, validate=ma.validate.Length(1, 200))
    act = ma.fields.String(required=True, validate=ma.validate.OneOf(ACTS))
    people = ma.fields.List(ma.fields.String(), load_default=list, metadata={"description": "usernames"})
    label = ma.fields.Integer(load_default=None, allow_none=True)
    due_at = ma.fields.AwareDateTime(load_default=None, allow_none=True)


class KanbanManyDoneSchema(ma.Schema):
    done = ma.fields.List(ma.fields.Nested(KanbanOneOfMany))
    refused = ma.fields.List(ma.fields.Nested(KanbanRefusedSchema))


class KanbanAboutSchema(ma.Schema):
    link = ma.fields.String(load_default="", metadata={"description": "the address of a post, a page or a document"})
    ref = ma.fields.String(load_default="", metadata={"description": "or its reference"})


class KanbanVersionsQuery(ma.Schema):
    cursor = ma.fields.String(load_default="")
    limit = ma.fields.Integer(load_default=10, validate=ma.validate.Range(1, 100))


class KanbanVersionSchema(ma.Schema):
    id = ma.fields.Integer()
    title = ma.fields.String(metadata={"description": "what it said before the change"})
    body = ma.fields.String()
    person = ma.fields.Nested(KanbanPersonSchema, allow_none=True, metadata={"description": "who changed it"})
    at = ma.fields.DateTime(metadata={"description": "when it was changed"})
    unpublished = ma.fields.Boolean(metadata={"description": "nobody but its author and moderators has read it"})


class KanbanVersionsSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(KanbanVersionSchema))
    next = ma.fields.String(allow_none=True)


class KanbanPutBackSchema(ma.Schema):
    version = ma.fields.Integer(required=True, metadata={"description": "the version of the card that you read"})
