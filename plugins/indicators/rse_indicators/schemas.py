"""Schemas of the REST resources."""

from __future__ import annotations

import marshmallow as ma

from rse_core.indicators_figures import BY
from rse_core.indicators_frame import PEOPLE


class IndicatorQuery(ma.Schema):
    by = ma.fields.String(load_default="", validate=ma.validate.OneOf(("", *BY)))
    first = ma.fields.String(
        data_key="from", load_default="", metadata={"description": "first day; without both, the last whole month"}
    )
    last = ma.fields.String(data_key="to", load_default="", metadata={"description": "last day"})
    people = ma.fields.String(load_default="all", validate=ma.validate.OneOf(PEOPLE))


class IndicatorDefinitionSchema(ma.Schema):
    name = ma.fields.String()
    label = ma.fields.String()
    definition = ma.fields.String()
    denominator = ma.fields.String()
    source = ma.fields.String()
    counts = ma.fields.String(metadata={"description": "people, spaces, or own: shown by its plugin elsewhere"})


class IndicatorFigureSchema(ma.Schema):
    key = ma.fields.String()
    name = ma.fields.String()
    numerator = ma.fields.Integer(allow_none=True)
    denominator = ma.fields.Integer(allow_none=True)
    rate = ma.fields.Float(allow_none=True)
    suppressed = ma.fields.Boolean(metadata={"description": "of too few people, or it would betray others that are"})
    median_hours = ma.fields.Float(metadata={"description": "of answer_time alone"})


class IndicatorTableSchema(ma.Schema):
    indicator = ma.fields.Nested(IndicatorDefinitionSchema)
    by = ma.fields.String()
    first = ma.fields.Date(data_key="from")
    last = ma.fields.Date(data_key="to")
    people = ma.fields.String()
    as_of = ma.fields.Date(allow_none=True, metadata={"description": "the figures are about the people of its end"})
    figures = ma.fields.List(ma.fields.Nested(IndicatorFigureSchema))
