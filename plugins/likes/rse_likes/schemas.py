"""Schemas of the REST resource."""

from __future__ import annotations

import marshmallow as ma


class ReactionsQuery(ma.Schema):
    ref = ma.fields.List(
        ma.fields.String(),
        required=True,
        validate=ma.validate.Length(1, 100),
        metadata={"description": "TYPE:ID; may be given up to 100 times"},
    )


class ReactionPutSchema(ma.Schema):
    ref = ma.fields.String(required=True, validate=ma.validate.Length(3, 600))
    reaction = ma.fields.String(required=True, validate=ma.validate.Length(1, 30))


class ReactionRefQuery(ma.Schema):
    ref = ma.fields.String(required=True, validate=ma.validate.Length(3, 600))


class ReactionCountsSchema(ma.Schema):
    """The reactions of one object."""

    ref = ma.fields.String()
    counts = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    total = ma.fields.Integer()
    mine = ma.fields.String(allow_none=True, metadata={"description": "my own reaction, null for none"})
    may_react = ma.fields.Boolean()
    reason = ma.fields.String(metadata={"description": "ok, or why one may not react"})


class ReactorsQuery(ReactionRefQuery):
    reaction = ma.fields.String(load_default=None)
    cursor = ma.fields.String(load_default=None)


class ReactorSchema(ma.Schema):
    reaction = ma.fields.String()
    at = ma.fields.AwareDateTime(format="iso")
    person = ma.fields.Dict(allow_none=True, metadata={"description": "null for somebody who is counted but not named"})


class ReactorsSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ReactorSchema))
    next = ma.fields.String(allow_none=True, metadata={"description": "cursor of the next page"})
