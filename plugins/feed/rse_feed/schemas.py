"""Schemas of the REST resources."""

from __future__ import annotations

import marshmallow as ma

from .texts import ACTS
from .walking import KINDS, SORTS

AUDIENCE = {"description": "everyone, entity:KEY, group:KEY, space:KEY or members:KEY"}


class FeedQuery(ma.Schema):
    sort = ma.fields.String(load_default="", validate=ma.validate.OneOf(("", *SORTS)))
    kind = ma.fields.String(load_default="all", validate=ma.validate.OneOf(KINDS))
    space = ma.fields.String(load_default="", metadata={"description": "key of a space"})
    cursor = ma.fields.String(load_default="")
    limit = ma.fields.Integer(load_default=20, validate=ma.validate.Range(1, 100))


class FeedNewQuery(ma.Schema):
    since = ma.fields.String(required=True, metadata={"description": "as a page of the feed gave it"})


class FeedNewSchema(ma.Schema):
    count = ma.fields.Integer(metadata={"description": "posts of others since then; 50 stands for more"})
    label = ma.fields.String()


class FeedLinkSchema(ma.Schema):
    url = ma.fields.String(required=True)
    title = ma.fields.String(load_default="")
    description = ma.fields.String(load_default="")
    site = ma.fields.String(load_default="")


class FeedPostWriteSchema(ma.Schema):
    body = ma.fields.String(load_default="", metadata={"description": "Markdown"})
    title = ma.fields.String(load_default="")
    audience = ma.fields.String(load_default="", metadata=AUDIENCE)
    act = ma.fields.String(load_default="publish", validate=ma.validate.OneOf(ACTS))
    publish_at = ma.fields.String(load_default="", metadata={"description": "2027-01-12T08:00, on that clock"})
    publish_zone = ma.fields.String(load_default="", metadata={"description": "Europe/Paris"})
    files = ma.fields.List(ma.fields.String(), load_default=None, allow_none=True, metadata={"description": "their keys"})
    topics = ma.fields.List(ma.fields.String(), load_default=None, allow_none=True)
    link = ma.fields.Nested(FeedLinkSchema, load_default=None, allow_none=True)
    entity = ma.fields.String(load_default="", metadata={"description": "key of the entity in whose name it is"})
    announcement = ma.fields.Boolean(load_default=False)
    must_read = ma.fields.Boolean(load_default=False)
    firm = ma.fields.Boolean(load_default=False, metadata={"description": "passes muted spaces"})
    acknowledge_by = ma.fields.AwareDateTime(load_default=None, allow_none=True)


class FeedPostEditSchema(FeedPostWriteSchema):
    version = ma.fields.Integer(
        load_default=None, allow_none=True, validate=ma.validate.Range(1),
        metadata={"description": "the version that was read"},
    )  # fmt: skip
    widen = ma.fields.Boolean(load_default=False, metadata={"description": "more people may see it than before"})


class FeedDeleteQuery(ma.Schema):
    reason = ma.fields.String(load_default="", metadata={"description": "needed from a moderator"})


class FeedAuthorSchema(ma.Schema):
    id = ma.fields.Integer()
    display_name = ma.fields.String(data_key="name")
    entity_name = ma.fields.String(data_key="entity")


class FeedFileSchema(ma.Schema):
    key = ma.fields.String()
    name = ma.fields.String()
    kind = ma.fields.String()
    media_type = ma.fields.String()
    size = ma.fields.Integer()
    alt = ma.fields.String()


class FeedEntrySchema(ma.Schema):
    """One entry as the asking person sees it; of a post with its text, of anything else a pointer."""

    ref = ma.fields.Function(lambda line: str(line.ref), metadata={"description": "of the object"})
    event = ma.fields.String()
    at = ma.fields.AwareDateTime(format="iso")
    title = ma.fields.String()
    url = ma.fields.String()
    by = ma.fields.String(attribute="who")
    author = ma.fields.Nested(FeedAuthorSchema, attribute="actor", allow_none=True)
    entity = ma.fields.String()
    space = ma.fields.Function(lambda line: line.space[0] if line.space else None)
    html = ma.fields.String()
    summary = ma.fields.String()
    id = ma.fields.Integer(attribute="post_id", allow_none=True)
    version = ma.fields.Integer()
    state = ma.fields.String()
    edited_at = ma.fields.AwareDateTime(format="iso", allow_none=True)
    announcement = ma.fields.Boolean()
    must_read = ma.fields.Boolean()
    acknowledge_by = ma.fields.AwareDateTime(format="iso", allow_none=True)
    confirmed_at = ma.fields.AwareDateTime(attribute="confirmed", format="iso", allow_none=True)
    locked = ma.fields.Boolean()
    pinned = ma.fields.Boolean()
    link = ma.fields.Dict(allow_none=True)
    topics = ma.fields.Function(lambda line: [topic.name for topic in line.topics])
    files = ma.fields.List(ma.fields.Nested(FeedFileSchema))


class FeedPageSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(FeedEntrySchema))
    pinned = ma.fields.List(ma.fields.Nested(FeedEntrySchema))
    next = ma.fields.String(allow_none=True)
    since = ma.fields.String(metadata={"description": "for asking what is new"})
    sort = ma.fields.String()


class FeedPostSchema(FeedEntrySchema):
    """A post as its author or a reader has it."""

    body = ma.fields.String(metadata={"description": "Markdown; for its author"})
    kept_by = ma.fields.Nested(
        FeedAuthorSchema, attribute="keeper", allow_none=True,
        metadata={"description": "who answers for it since its author has left"},
    )  # fmt: skip
    audience = ma.fields.String(metadata=AUDIENCE)
    publish_at = ma.fields.AwareDateTime(format="iso", allow_none=True)
    publish_zone = ma.fields.String()
    reason = ma.fields.String()
    said = ma.fields.String(metadata={"description": "what its author should know of how it was taken"})
