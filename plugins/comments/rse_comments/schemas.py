"""Schemas of the REST resources."""

from __future__ import annotations

import marshmallow as ma

REF = {"description": "TYPE:ID, for example page:/news/12"}


class CommentsQuery(ma.Schema):
    ref = ma.fields.String(required=True, validate=ma.validate.Length(3, 600), metadata=REF)
    sort = ma.fields.String(load_default=None, validate=ma.validate.OneOf(("newest", "oldest", "best")))
    cursor = ma.fields.String(load_default=None)
    limit = ma.fields.Integer(load_default=20, validate=ma.validate.Range(1, 100))


class CommentWriteSchema(ma.Schema):
    ref = ma.fields.String(required=True, validate=ma.validate.Length(3, 600), metadata=REF)
    body = ma.fields.String(required=True, metadata={"description": "Markdown"})
    parent = ma.fields.Integer(load_default=None, allow_none=True, metadata={"description": "the comment answered"})


class CommentEditSchema(ma.Schema):
    body = ma.fields.String(required=True)
    version = ma.fields.Integer(
        load_default=None,
        allow_none=True,
        validate=ma.validate.Range(1),
        metadata={"description": "the version that was read"},
    )


class CommentDeleteQuery(ma.Schema):
    reason = ma.fields.String(load_default="", metadata={"description": "needed from a moderator"})


class MentionsQuery(ma.Schema):
    ref = ma.fields.String(required=True, validate=ma.validate.Length(3, 600), metadata=REF)
    q = ma.fields.String(required=True, validate=ma.validate.Length(1, 60), metadata={"description": "what was typed"})


class MentionSchema(ma.Schema):
    username = ma.fields.String()
    display_name = ma.fields.String(data_key="name")
    entity_name = ma.fields.String(data_key="entity", allow_none=True)


class CommentAuthorSchema(ma.Schema):
    id = ma.fields.Integer()
    display_name = ma.fields.String(data_key="name")
    entity_name = ma.fields.String(data_key="entity")


class CommentSchema(ma.Schema):
    """A comment as the asking person sees it."""

    id = ma.fields.Integer()
    ref = ma.fields.Function(lambda shown: str(shown.ref), metadata={"description": "the comment's own reference"})
    parent = ma.fields.Integer(attribute="parent_id", allow_none=True)
    state = ma.fields.String()
    body = ma.fields.String()
    html = ma.fields.String()
    author = ma.fields.Nested(CommentAuthorSchema, allow_none=True)
    created_at = ma.fields.AwareDateTime(format="iso")
    edited_at = ma.fields.AwareDateTime(format="iso", allow_none=True)
    version = ma.fields.Integer()
    score = ma.fields.Integer()
    reason = ma.fields.String()
    mine = ma.fields.Boolean()
    replies = ma.fields.List(ma.fields.Nested(lambda: CommentSchema(exclude=("replies", "more_replies"))))
    more_replies = ma.fields.Integer()


class CommentPageSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(CommentSchema))
    next = ma.fields.String(allow_none=True)
    count = ma.fields.Integer()
    sort = ma.fields.String()
    closed = ma.fields.String(metadata={"description": "why nobody may write here at present; empty when open"})
    may_write = ma.fields.Boolean()
    reason = ma.fields.String()


class ThreadStateSchema(ma.Schema):
    ref = ma.fields.String(required=True, validate=ma.validate.Length(3, 600), metadata=REF)
    locked = ma.fields.Boolean(load_default=False)
    opens_at = ma.fields.AwareDateTime(load_default=None, allow_none=True)
    closes_at = ma.fields.AwareDateTime(load_default=None, allow_none=True)
