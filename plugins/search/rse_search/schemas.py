"""Schemas of the REST resource."""

from __future__ import annotations

import marshmallow as ma

from .asking import SORTS
from .finding import DATES

_MAX = 200


class SearchArguments(ma.Schema):
    q = ma.fields.String(load_default="", validate=ma.validate.Length(max=500), metadata={"description": "what to look for"})
    kind = ma.fields.String(
        load_default="",
        validate=ma.validate.Length(max=40),
        metadata={"description": "post, comment, page, space, person …"},
    )
    entity = ma.fields.String(
        load_default="",
        validate=ma.validate.Length(max=_MAX),
        metadata={"description": "key of an entity; with those below it"},
    )
    space = ma.fields.String(
        load_default="", validate=ma.validate.Length(max=_MAX), metadata={"description": "key of a community"}
    )
    author = ma.fields.String(
        load_default="", validate=ma.validate.Length(max=_MAX), metadata={"description": "username of the author"}
    )
    date = ma.fields.String(load_default="", validate=ma.validate.OneOf(("", *DATES)))
    since = ma.fields.AwareDateTime(load_default=None)
    until = ma.fields.AwareDateTime(load_default=None)
    sort = ma.fields.String(load_default=SORTS[0], validate=ma.validate.OneOf(SORTS))
    cursor = ma.fields.String(load_default=None)
    limit = ma.fields.Integer(load_default=20, validate=ma.validate.Range(1, 50))
    facets = ma.fields.Boolean(load_default=False)


class SearchAuthorSchema(ma.Schema):
    username = ma.fields.String()
    display_name = ma.fields.String(data_key="name")


class SearchHitSchema(ma.Schema):
    """One thing found, as the asking person may see it."""

    ref = ma.fields.Function(lambda one: str(one.ref))
    kind = ma.fields.String()
    kind_label = ma.fields.String()
    title = ma.fields.String(attribute="plain_title")
    title_html = ma.fields.String(attribute="title")
    snippet_html = ma.fields.String(attribute="snippet", metadata={"description": "safe HTML: text and <mark>"})
    url = ma.fields.String()
    at = ma.fields.AwareDateTime(format="iso", allow_none=True)
    author = ma.fields.Nested(SearchAuthorSchema, allow_none=True)
    entity = ma.fields.String()
    space = ma.fields.String()


class SearchValueSchema(ma.Schema):
    key = ma.fields.String()
    label = ma.fields.String()
    count = ma.fields.Integer()


class SearchFacetSchema(ma.Schema):
    name = ma.fields.String()
    label = ma.fields.String()
    values = ma.fields.List(ma.fields.Nested(SearchValueSchema))


class SearchAnswerSchema(ma.Schema):
    """``fuzzy``: nothing was found as typed, and ``better`` is what was looked for instead; else ``better`` may have been
    meant."""

    items = ma.fields.List(ma.fields.Nested(SearchHitSchema))
    next = ma.fields.String(allow_none=True)
    count = ma.fields.Integer(allow_none=True, metadata={"description": "of all that was found, when facets were asked for"})
    facets = ma.fields.List(ma.fields.Nested(SearchFacetSchema))
    better = ma.fields.String()
    fuzzy = ma.fields.Boolean()
