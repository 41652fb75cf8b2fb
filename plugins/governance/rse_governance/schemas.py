"""What REST takes and gives."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from .cases import KINDS
from .casework import LISTS
from .queue import STATES
from .wording import ACTS

_text = ma.fields.String
_when = ma.fields.AwareDateTime


def _one_of(choices: Any) -> ma.validate.OneOf:
    return ma.validate.OneOf(list(choices))


class ModerationQuery(ma.Schema):
    cursor = _text(load_default="")
    limit = ma.fields.Integer(load_default=25, validate=ma.validate.Range(1, 100))


class ModerationQueueQuery(ModerationQuery):
    state = _text(load_default="pending", validate=_one_of(STATES))
    kind = _text(load_default="", validate=ma.validate.Length(max=81))


class ModerationCasesQuery(ModerationQuery):
    state = _text(load_default="open", validate=_one_of(LISTS))


class ModerationPersonSchema(ma.Schema):
    id = ma.fields.Integer()
    username = _text()
    name = _text(attribute="display_name")


class ModerationLineSchema(ma.Schema):
    id = ma.fields.Integer(attribute="row.id")
    ref = ma.fields.Function(lambda line: str(line.ref))
    title = ma.fields.Function(lambda line: line.info.title if line.info else "")
    url = ma.fields.Function(lambda line: line.info.url if line.info else None)
    text = _text(allow_none=True)
    author = ma.fields.Nested(ModerationPersonSchema, allow_none=True)
    place = _text()
    words = _text(attribute="found", metadata={"description": "what a word rule found"})


class HeldTextSchema(ModerationLineSchema):
    state = _text(attribute="row.state")
    held_at = _when(attribute="row.held_at", format="iso")
    reason = _text(attribute="row.reason")


class HeldTextsPageSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(HeldTextSchema), attribute="lines")
    elsewhere = ma.fields.Integer(metadata={"description": "how many more wait in private spaces"})
    next = _text(allow_none=True)


class HeldDecisionSchema(ma.Schema):
    ids = ma.fields.List(ma.fields.Integer(), required=True, validate=ma.validate.Length(1, 100))
    approve = ma.fields.Boolean(required=True)
    reason = _text(load_default="")


class HeldOutcomeSchema(ma.Schema):
    done = ma.fields.Integer()
    problems = ma.fields.List(_text())


class AmendSchema(ma.Schema):
    text = _text(required=True)


class ReportNewSchema(ma.Schema):
    ref = _text(required=True)
    kind = _text(required=True, validate=_one_of(KINDS))
    text = _text(load_default="")


class ReportedSchema(ma.Schema):
    new = ma.fields.Boolean(metadata={"description": "false when you had reported it before"})


class CaseSchema(ModerationLineSchema):
    state = _text(attribute="row.state")
    opened_at = _when(attribute="row.opened_at", format="iso")
    reason = _text(attribute="row.reason")
    appeal = _text(attribute="row.appeal")
    answer = _text(attribute="row.appeal_reason")
    appealable = ma.fields.Boolean(
        attribute="row.appealable", metadata={"description": "whether its author may appeal now"}
    )  # fmt: skip
    appeal_until = _when(attribute="row.appeal_until", format="iso", allow_none=True)
    automatic = ma.fields.Boolean(attribute="row.automatic")
    site_decides = ma.fields.Function(
        lambda line: line.row.escalated or line.alone,
        metadata={"type": "boolean", "description": "on an appeal decide the moderators of the whole site"},
    )
    blind = ma.fields.Boolean(
        metadata={"description": "you may not look into the place: text is what its author discloses, or null"}
    )
    version = ma.fields.Integer(attribute="row.version")


class CasesPageSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(CaseSchema), attribute="lines")
    elsewhere = ma.fields.Integer(metadata={"description": "how many more wait in private spaces"})
    next = _text(allow_none=True)


class CaseDecisionSchema(ma.Schema):
    hide = ma.fields.Boolean(required=True)
    reason = _text(load_default="")
    version = ma.fields.Integer(load_default=None, allow_none=True)


class AppealSchema(ma.Schema):
    text = _text(required=True)
    disclose = ma.fields.Boolean(
        load_default=False,
        metadata={"description": "where the moderators of the whole site decide, they may read what was taken down"},
    )


class AppealDecisionSchema(ma.Schema):
    grant = ma.fields.Boolean(required=True)
    reason = _text(required=True)


class BinnedSchema(ModerationLineSchema):
    deleted_at = _when(attribute="row.at", format="iso")
    until = _when(attribute="row.until", format="iso")
    reason = _text(attribute="row.reason")


class BinPageSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(BinnedSchema))
    next = _text(allow_none=True)


class RestoreSchema(ma.Schema):
    why = _text(load_default="")


class WordRuleSchema(ma.Schema):
    id = ma.fields.Integer(attribute="rule.id", dump_only=True)
    where = _text()
    act = _text(attribute="rule.act")
    words = _text(attribute="rule.words")
    message = _text(attribute="rule.message")
    version = ma.fields.Integer(attribute="rule.version")


class WordRuleNewSchema(ma.Schema):
    where = _text(required=True)
    act = _text(required=True, validate=_one_of(ACTS))
    words = _text(required=True)
    message = _text(load_default="")


class WordRuleChangeSchema(ma.Schema):
    act = _text(required=True, validate=_one_of(ACTS))
    words = _text(required=True)
    message = _text(load_default="")
    version = ma.fields.Integer(required=True)


class WordTrialSchema(ma.Schema):
    text = _text(required=True, load_only=True)
    where = _text(attribute="rule.where", dump_only=True)
    act = _text(attribute="rule.rule.act", dump_only=True)
    words = ma.fields.List(_text(), dump_only=True)


class CharterVersionSchema(ma.Schema):
    id = ma.fields.Integer()
    kind = _text()
    version = _text()
    title = _text()
    published_at = _when(format="iso")


class CharterTextSchema(CharterVersionSchema):
    body = _text()


class ChartersQuery(ma.Schema):
    space = _text(load_default="")
    kind = _text(load_default="use", validate=ma.validate.OneOf(["use", "editorial"]))


class CharterNewSchema(ChartersQuery):
    title = _text(required=True)
    body = _text(required=True)
    version = _text(load_default="")
    published_at = _when(load_default=None, allow_none=True)


class RatesQuery(ma.Schema):
    entity = _text(load_default="")


class RateSchema(ma.Schema):
    key = _text()
    name = _text()
    accepted = ma.fields.Integer(allow_none=True)
    people = ma.fields.Integer(allow_none=True, metadata={"description": "null: too few to be shown"})


class RatesSchema(ma.Schema):
    whole = ma.fields.Nested(RateSchema)
    entities = ma.fields.List(ma.fields.Nested(RateSchema))
    waves = ma.fields.List(ma.fields.Nested(RateSchema))
    day = ma.fields.Date(
        allow_none=True, metadata={"description": "the people of its end are those it is about; null: those of now"}
    )  # fmt: skip


class AcceptorSchema(ma.Schema):
    person = ma.fields.Nested(ModerationPersonSchema)
    accepted_at = _when(format="iso")


class AcceptorsPageSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(AcceptorSchema))
    next = _text(allow_none=True)


class MyErasureSchema(ma.Schema):
    username = _text(required=True, metadata={"description": "your own, to be sure"})


class SuspensionSchema(ma.Schema):
    id = ma.fields.Integer(attribute="row.id")
    person = ma.fields.Nested(ModerationPersonSchema, allow_none=True)
    starts_at = _when(attribute="row.starts_at", format="iso")
    ends_at = _when(attribute="row.ends_at", format="iso", allow_none=True)
    reason = _text(attribute="row.reason")


class SuspensionsPageSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(SuspensionSchema))
    next = _text(allow_none=True)


class SuspensionNewSchema(ma.Schema):
    person = _text(required=True, metadata={"description": "username"})
    days = ma.fields.Integer(required=True, validate=ma.validate.Range(1, 366))
    reason = _text(required=True)


class LiftSchema(ma.Schema):
    person = _text(required=True)
    why = _text(load_default="")


class LogQuery(ModerationQuery):
    act = _text(load_default="", validate=ma.validate.Length(max=80))
    actor = _text(load_default="", validate=ma.validate.Length(max=200))
    subject = _text(load_default="", validate=ma.validate.Length(max=500))
    since = ma.fields.Date(load_default=None, allow_none=True)


class LogLineSchema(ma.Schema):
    id = ma.fields.Integer()
    at = _when(format="iso")
    actor = _text()
    act = _text()
    subject = _text()
    before = ma.fields.Raw(allow_none=True)
    after = ma.fields.Raw(allow_none=True)
    why = _text()


class LogPageSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(LogLineSchema))
    next = _text(allow_none=True)


class ToolSchema(ma.Schema):
    id = ma.fields.Integer(dump_only=True)
    use = _text(required=True)
    tool = _text(required=True)
    address = _text(load_default="")
    note = _text(load_default="")
    position = ma.fields.Integer(load_default=0)
    shown = ma.fields.Boolean(load_default=True)


class ProcessingSchema(ma.Schema):
    owner = _text()
    name = _text()
    label = ma.fields.Function(lambda one: str(one.label))
    purpose = ma.fields.Function(lambda one: str(one.purpose))
    retention = ma.fields.Function(lambda one: str(one.retention))
    days = ma.fields.Integer(metadata={"description": "0: until it is deleted or the person is erased"})
    prunable = ma.fields.Boolean()


class TermSchema(ma.Schema):
    days = ma.fields.Integer(required=True, validate=ma.validate.Range(min=0))
