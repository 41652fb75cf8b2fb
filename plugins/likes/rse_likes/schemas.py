"""Schemas of the REST resource."""

from __future__ import annotations

import marshmallow as ma

REF = {"description": "TYPE:ID, for example page:/news/12; any address of a page names the same page"}


class ReactionsQuery(ma.Schema):
    ref = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(3, 600)),
        required=True,
        validate=ma.validate.Length(1, 100),
        metadata={**REF, "description": REF["description"] + "; may be given up to 100 times"},
    )


class ReactionPutSchema(ma.Schema):
    """The reaction that this person is to have."""

    ref = ma.fields.String(required=True, validate=ma.validate.Length(3, 600), metadata=REF)
    reaction = ma.fields.String(
        required=True,
        validate=ma.validate.Length(1, 30),
        metadata={"description": "the key of an offered reaction: like, useful, bravo, thanks, or the site's own"},
    )


class ReactionRefQuery(ma.Schema):
    ref = ma.fields.String(required=True, validate=ma.validate.Length(3, 600), metadata=REF)


class ReactionCountsSchema(ma.Schema):
    """The reactions of one object."""

    ref = ma.fields.String(metadata={"description": "as it was asked for"})
    counts = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.Integer(), metadata={"description": "key of the reaction → people"}
    )
    total = ma.fields.Integer(metadata={"description": "people who reacted; each has one reaction"})
    mine = ma.fields.String(allow_none=True, metadata={"description": "my own reaction, null for none"})
    may_react = ma.fields.Boolean(metadata={"description": "whether the person who asks may react now"})
    reason = ma.fields.String(
        metadata={"description": "ok, or why not: level, role, charter, suspended …, own (one's own text), closed"}
    )
    offered = ma.fields.List(ma.fields.String(), metadata={"description": "keys of the reactions that are offered here"})


class ReactorsQuery(ReactionRefQuery):
    reaction = ma.fields.String(
        load_default=None, validate=ma.validate.Length(1, 30), metadata={"description": "only those with this reaction"}
    )
    cursor = ma.fields.String(load_default=None, metadata={"description": "next of the page before"})


class ReactorPersonSchema(ma.Schema):
    """A person, as far as a list names them."""

    id = ma.fields.Integer()
    name = ma.fields.String()


class ReactorSchema(ma.Schema):
    reaction = ma.fields.String()
    at = ma.fields.AwareDateTime(format="iso", metadata={"description": "when this person first reacted"})
    person = ma.fields.Nested(
        ReactorPersonSchema, allow_none=True, metadata={"description": "null for somebody who is counted but not named"}
    )


class ReactorsSchema(ma.Schema):
    """One page of those who reacted, newest first."""

    items = ma.fields.List(ma.fields.Nested(ReactorSchema))
    next = ma.fields.String(allow_none=True, metadata={"description": "cursor of the next page, null on the last"})


class MyReactionsQuery(ma.Schema):
    cursor = ma.fields.String(load_default=None, metadata={"description": "next of the page before"})


class MyReactionSchema(ma.Schema):
    ref = ma.fields.String()
    title = ma.fields.String(
        allow_none=True, metadata={"description": "null for an object that is gone or no longer to be seen"}
    )
    url = ma.fields.String(allow_none=True)
    reaction = ma.fields.String()
    at = ma.fields.AwareDateTime(format="iso")


class MyReactionsSchema(ma.Schema):
    """One page of my own reactions, newest first."""

    items = ma.fields.List(ma.fields.Nested(MyReactionSchema))
    next = ma.fields.String(allow_none=True, metadata={"description": "cursor of the next page, null on the last"})
