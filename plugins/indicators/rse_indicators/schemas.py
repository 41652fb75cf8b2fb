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


class WorkCalendarDaySchema(ma.Schema):
    day = ma.fields.Date(required=True)
    name = ma.fields.String(load_default="", validate=ma.validate.Length(max=200))


class WorkCalendarSchema(ma.Schema):
    entity = ma.fields.String(metadata={"description": "empty: the site, whose calendar stands in its configuration"})
    name = ma.fields.String()
    public = ma.fields.String(metadata={"description": "site, none, fr, fr-alsace-moselle …"})
    days = ma.fields.Function(
        lambda shown: [{"day": day.isoformat(), "name": name} for day, name in shown.days.items()],
        metadata={"type": "array", "items": {"type": "object"}},
    )
    version = ma.fields.String()


class WorkCalendarNewSchema(ma.Schema):
    public = ma.fields.String(load_default="site")
    days = ma.fields.List(ma.fields.Nested(WorkCalendarDaySchema), load_default=list)
    ics = ma.fields.String(
        load_default=None, allow_none=True, metadata={"description": "the text of an iCalendar file, beside the days"}
    )
    version = ma.fields.String(
        load_default=None,
        allow_none=True,
        metadata={"description": "of the calendar that you read; another now answers 409"},
    )
    dry_run = ma.fields.Boolean(load_default=False)


class WorkCalendarPreviewSchema(ma.Schema):
    calendar = ma.fields.Nested(WorkCalendarSchema, attribute="shown")
    closed = ma.fields.List(ma.fields.Date(), metadata={"description": "no longer working days, this year and the next"})
    opened = ma.fields.List(ma.fields.Date(), metadata={"description": "working days again"})
    entities = ma.fields.Integer(metadata={"description": "how many entities it holds for"})
    apart = ma.fields.List(ma.fields.String(), metadata={"description": "those below with a calendar of their own"})
    months = ma.fields.Integer(metadata={"description": "how many months are counted anew"})
