"""What REST takes and gives."""

from __future__ import annotations

import marshmallow as ma

from .editing import LOCALES, MOST_TEXT

_text = ma.fields.String


class OnboardingStepSchema(ma.Schema):
    key = _text()
    level = ma.fields.Integer()
    title = ma.fields.Function(lambda step: str(step.title))
    text = ma.fields.Function(lambda step: str(step.text))
    charter = ma.fields.Boolean(metadata={"description": "the charter is to be accepted first"})


class OnboardingCapabilitySchema(ma.Schema):
    key = _text(attribute="capability.key")
    label = ma.fields.Function(lambda one: str(one.capability.label))
    level = ma.fields.Integer()
    open = ma.fields.Boolean()
    opens_at = ma.fields.AwareDateTime(attribute="decision.opens_at", format="iso", allow_none=True)


class OnboardingSchema(ma.Schema):
    level = ma.fields.Integer()
    shown = ma.fields.Integer(metadata={"description": "the level that was last shown"})
    state = _text(metadata={"description": "opened, closed or same"})
    step = _text(metadata={"description": "key of the step at which the tour was left"})
    steps = ma.fields.List(ma.fields.Nested(OnboardingStepSchema))
    capabilities = ma.fields.List(ma.fields.Nested(OnboardingCapabilitySchema))


class OnboardingShownSchema(ma.Schema):
    act = _text(required=True, validate=ma.validate.OneOf(["done", "later", "keep"]))
    step = _text(load_default="", validate=ma.validate.Length(max=80))


class TutorialListedSchema(ma.Schema):
    key = _text()
    title = _text()
    level = ma.fields.Integer()
    order = ma.fields.Integer()
    video = _text()
    own = ma.fields.Boolean(metadata={"description": "written by the site"})
    done_at = ma.fields.AwareDateTime(format="iso", allow_none=True)
    useful = ma.fields.Boolean(allow_none=True)


class TutorialSchema(TutorialListedSchema):
    body = _text(metadata={"description": "Markdown"})
    locale = _text()
    version = ma.fields.Integer()


class TutorialNoteSchema(ma.Schema):
    done = ma.fields.Boolean(load_default=None)
    useful = ma.fields.Boolean(load_default=None)


class TutorialDraftSchema(ma.Schema):
    title = _text(required=True, validate=ma.validate.Length(1, 200))
    body = _text(required=True, validate=ma.validate.Length(1, MOST_TEXT))
    level = ma.fields.Integer(required=True, strict=True)
    locale = _text(load_default="", validate=ma.validate.OneOf(LOCALES))
    order = ma.fields.Integer(load_default=100, strict=True)
    video = _text(load_default="", validate=ma.validate.Length(max=500))


class TutorialChangeSchema(TutorialDraftSchema):
    version = ma.fields.Integer(required=True, strict=True)


class OnboardingFigureSchema(ma.Schema):
    label = _text()
    number = ma.fields.Integer(allow_none=True, metadata={"description": "null where it would tell of fewer than ten"})
    text = _text()


class OnboardingPartSchema(ma.Schema):
    names = ma.fields.List(_text())
    people = ma.fields.Nested(OnboardingFigureSchema)
    visited = ma.fields.Nested(OnboardingFigureSchema)


class OnboardingAdviceSchema(ma.Schema):
    key = _text()
    title = _text()
    text = _text()
    link = _text()


class OnboardingWaveCountSchema(ma.Schema):
    name = _text()
    label = ma.fields.Function(lambda one: str(one.label))
    done = ma.fields.Integer(allow_none=True)
    left = ma.fields.Integer(allow_none=True)
    few = _text(metadata={"description": "“done” or “left”: which of the two are fewer than ten; both are withheld then"})
    rate = ma.fields.Float(allow_none=True)


class OnboardingWaveFiguresSchema(ma.Schema):
    wave = _text()
    days = ma.fields.Integer()
    early = _text()
    counts = ma.fields.List(ma.fields.Nested(OnboardingWaveCountSchema))


class OnboardingWaveSchema(ma.Schema):
    scope = _text(attribute="scope.kind")
    name = _text(attribute="scope.name")
    people = ma.fields.Nested(OnboardingFigureSchema)
    figures = ma.fields.List(ma.fields.Nested(OnboardingFigureSchema))
    missing = ma.fields.Nested(OnboardingFigureSchema, allow_none=True)
    parts = ma.fields.List(ma.fields.Nested(OnboardingPartSchema))
    advice = ma.fields.List(ma.fields.Nested(OnboardingAdviceSchema))
    wave = ma.fields.Nested(OnboardingWaveFiguresSchema, allow_none=True)
    beside = ma.fields.Boolean(metadata={"description": "figures are withheld: beside the wave’s they would tell of few"})
