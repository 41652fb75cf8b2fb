"""What REST takes and gives."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from .kinds import JOIN_POLICIES, KINDS, NOTIFY, ROLES, VISIBILITIES, WHO

_text = ma.fields.String


def _one_of(choices: Any) -> ma.validate.OneOf:
    return ma.validate.OneOf(list(choices))


class SpacesQuery(ma.Schema):
    q = _text(load_default="", validate=ma.validate.Length(max=100))
    kind = _text(load_default="", validate=ma.validate.OneOf(["", *KINDS]))
    mine = ma.fields.Boolean(load_default=False)
    cursor = _text(load_default="")
    limit = ma.fields.Integer(load_default=24, validate=ma.validate.Range(1, 100))


class MembersQuery(ma.Schema):
    q = _text(load_default="", validate=ma.validate.Length(max=100))
    role = _text(load_default="", validate=ma.validate.OneOf(["", *ROLES]))
    cursor = _text(load_default="")
    limit = ma.fields.Integer(load_default=40, validate=ma.validate.Range(1, 100))


class CommunityPersonSchema(ma.Schema):
    id = ma.fields.Integer()
    username = _text()
    name = _text(attribute="display_name")
    entity = _text(attribute="entity_name")
    external = ma.fields.Boolean()


class SpaceListedSchema(ma.Schema):
    key = _text()
    name = _text()
    kind = _text()
    visibility = _text()
    state = _text()
    purpose = _text()
    members = ma.fields.Integer()
    join_policy = _text()
    role = _text(allow_none=True, metadata={"description": "your own role there; null for who is no member"})
    archived_at = ma.fields.AwareDateTime(format="iso", allow_none=True)


class SpacesPageSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(SpaceListedSchema))
    next = _text(allow_none=True)


class SpaceShownSchema(ma.Schema):
    ref = ma.fields.Function(lambda seat: str(seat.ref))
    key = _text(attribute="space.key")
    name = _text(attribute="space.name")
    visibility = ma.fields.Function(
        lambda seat: seat.profile.wanted if seat.profile.state == "preparing" else seat.space.visibility
    )
    kind = _text(attribute="profile.kind")
    purpose = _text(attribute="profile.purpose")
    description = _text(attribute="profile.description")
    rules = _text(attribute="profile.rules")
    join_policy = _text(attribute="profile.join_policy")
    state = ma.fields.Function(lambda seat: "archived" if seat.space.archived_at else seat.profile.state)
    members = ma.fields.Integer(attribute="profile.members")
    version = ma.fields.Integer(attribute="profile.version")
    role = _text(allow_none=True)
    inside = ma.fields.Boolean(metadata={"description": "whether you see what is in it"})


class SpaceNewSchema(ma.Schema):
    name = _text(required=True, validate=ma.validate.Length(1, 300))
    kind = _text(load_default="community", validate=_one_of(KINDS))
    purpose = _text(load_default="")
    visibility = _text(load_default=None, allow_none=True, validate=_one_of(VISIBILITIES))


class SpaceChangeSchema(ma.Schema):
    name = _text(validate=ma.validate.Length(1, 300))
    kind = _text(validate=_one_of(KINDS))
    purpose = _text()
    description = _text()
    rules = _text()
    join_policy = _text(validate=_one_of(JOIN_POLICIES))
    notify = _text(validate=_one_of(NOTIFY))
    contact = _text(metadata={"description": "username of a member"})
    deputy = _text(metadata={"description": "username of a member"})
    version = ma.fields.Integer(required=True)


class MemberSchema(ma.Schema):
    person = ma.fields.Nested(CommunityPersonSchema)
    role = _text()
    since = ma.fields.AwareDateTime(format="iso")
    fed = ma.fields.Boolean(metadata={"description": "brought in by a group or an entity"})


class MembersPageSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(MemberSchema))
    next = _text(allow_none=True)


class MemberNewSchema(ma.Schema):
    person = _text(required=True, metadata={"description": "username"})
    role = _text(load_default="member", validate=_one_of(ROLES))


class MemberRoleSchema(ma.Schema):
    role = _text(required=True, validate=_one_of(ROLES))


class AskSchema(ma.Schema):
    message = _text(load_default="", validate=ma.validate.Length(max=1000))


class InvitationAnswerSchema(ma.Schema):
    accept = ma.fields.Boolean(required=True)


class AnswerSchema(ma.Schema):
    accept = ma.fields.Boolean(required=True)
    reason = _text(load_default="", validate=ma.validate.Length(max=1000))


class RequestSchema(ma.Schema):
    id = ma.fields.Integer(attribute="row.id")
    person = ma.fields.Nested(CommunityPersonSchema)
    message = _text(attribute="row.message")
    created_at = ma.fields.AwareDateTime(attribute="row.created_at", format="iso")
    expires_at = ma.fields.AwareDateTime(attribute="row.expires_at", format="iso")


class InviteSchema(ma.Schema):
    person = _text(required=True, metadata={"description": "username"})
    role = _text(load_default="member", validate=_one_of(ROLES))
    message = _text(load_default="", validate=ma.validate.Length(max=1000))


class InvitationSchema(ma.Schema):
    id = ma.fields.Integer(attribute="row.id")
    space = _text(attribute="space.key")
    name = _text(attribute="space.name")
    person = ma.fields.Nested(CommunityPersonSchema, allow_none=True)
    by = ma.fields.Nested(CommunityPersonSchema, allow_none=True)
    role = _text(attribute="row.role")
    message = _text(attribute="row.message")
    state = _text(attribute="row.state")
    expires_at = ma.fields.AwareDateTime(attribute="row.expires_at", format="iso")


class SheetSchema(ma.Schema):
    posts = _text(validate=ma.validate.OneOf(["", *WHO]))
    likes = _text(validate=ma.validate.OneOf(["", *WHO]))
    comments = _text(validate=ma.validate.OneOf(["", *WHO]))
    moderates = _text(validate=ma.validate.OneOf(["", "after", "before"]))
    contact = _text()
    purpose = _text()
    version = ma.fields.Integer(load_only=True)


class SheetShownSchema(ma.Schema):
    answers = ma.fields.Dict(keys=_text(), values=_text())
    missing = ma.fields.List(_text())


class RightSchema(ma.Schema):
    capability = _text(attribute="capability.key")
    label = ma.fields.Function(lambda row: str(row.capability.label))
    who = _text()
    own = ma.fields.Boolean(metadata={"description": "the space has a rule of its own"})
    level = ma.fields.Function(lambda row: row.level.name.lower())
    cells = ma.fields.Function(
        lambda row: {name: {"allowed": cell.allowed, "fixed": str(cell.fixed) or None} for name, cell in row.cells.items()}
    )


class RightsChangeSchema(ma.Schema):
    rights = ma.fields.Dict(keys=_text(), values=_text(), required=True)
    version = ma.fields.Integer(load_default=None, allow_none=True)


class ExplainQuery(ma.Schema):
    capability = _text(required=True)
    role = _text(load_default="", validate=ma.validate.OneOf(["", *ROLES]))
    person = _text(load_default="")


class ExplainedSchema(ma.Schema):
    allowed = ma.fields.Boolean()
    reason = _text()
    message = ma.fields.Function(lambda one: str(one.message))
    rules = ma.fields.Function(lambda one: [{"rule": step.rule, "passed": step.passed} for step in one.steps])


class VisibilitySchema(ma.Schema):
    visibility = _text(required=True, validate=_one_of(VISIBILITIES))
    version = ma.fields.Integer(load_default=None, allow_none=True)


class ReachSchema(ma.Schema):
    before = ma.fields.Integer()
    after = ma.fields.Integer()
    gain = ma.fields.Integer()
    lose = ma.fields.Integer()
    losing = ma.fields.List(_text())


class FeederNewSchema(ma.Schema):
    kind = _text(required=True, validate=ma.validate.OneOf(["group", "entity"]))
    key = _text(required=True, metadata={"description": "id of the group or entity"})
    role = _text(load_default="member", validate=ma.validate.OneOf(["member", "writer"]))


class FeederSchema(ma.Schema):
    id = ma.fields.Integer(attribute="row.id")
    kind = _text(attribute="row.kind")
    key = _text()
    name = _text()
    role = _text(attribute="row.role")
    synced_at = ma.fields.AwareDateTime(attribute="row.synced_at", format="iso", allow_none=True)


class FeedingEffectSchema(ma.Schema):
    add = ma.fields.Integer()
    remove = ma.fields.Integer()
    adding = ma.fields.List(_text())
    removing = ma.fields.List(_text())


class ListLineSchema(ma.Schema):
    person = _text(required=True)
    role = _text(load_default="")


class ListNewSchema(ma.Schema):
    act = _text(required=True, validate=ma.validate.OneOf(["add", "remove"]))
    people = ma.fields.List(ma.fields.Nested(ListLineSchema), required=True, validate=ma.validate.Length(1, 50_000))


class ListShownSchema(ma.Schema):
    id = ma.fields.Integer()
    act = _text()
    finished = ma.fields.Function(lambda batch: batch.finished_at is not None)
    lines = ma.fields.Function(lambda batch: len(batch.rows))
    report = ma.fields.Function(
        lambda batch: [{"line": line, "person": name, "outcome": outcome} for line, name, outcome in batch.report]
    )


class MergeSchema(ma.Schema):
    into = _text(required=True, metadata={"description": "key of the space that takes this one in"})


class SplitSchema(ma.Schema):
    name = _text(required=True)
    people = ma.fields.List(_text(), required=True, metadata={"description": "usernames of members"})
    leaving = ma.fields.Boolean(load_default=False)


class PluginsSchema(ma.Schema):
    on = ma.fields.List(_text(), required=True)
    choosable = ma.fields.List(_text(), dump_only=True)


class FiguresSchema(ma.Schema):
    members = ma.fields.Integer()
    recent = ma.fields.Dict(keys=_text(), values=ma.fields.Integer())
    before = ma.fields.Dict(keys=_text(), values=ma.fields.Integer())
    requests = ma.fields.Integer()
    invitations = ma.fields.Integer()
    listeners = ma.fields.Integer()
    weeks = ma.fields.Function(
        lambda found: [
            {"start": week.start.isoformat(), "posts": week.posts, "comments": week.comments,
             "reactions": week.reactions, "joined": week.joined}
            for week in found.weeks
        ]
    )  # fmt: skip


class HearSchema(ma.Schema):
    notify = _text(required=True, validate=ma.validate.OneOf(["all", "mentions", "none"]))


class AfterQuery(ma.Schema):
    after = ma.fields.Integer(load_default=0, validate=ma.validate.Range(min=0))


class OrphanSchema(ma.Schema):
    id = ma.fields.Integer()
    key = _text()
    name = _text()
    members = ma.fields.Integer()


class UnfinishedSchema(ma.Schema):
    id = ma.fields.Integer()
    key = _text()
    name = _text()
    missing = ma.fields.List(_text())


class QuietSchema(OrphanSchema):
    since = ma.fields.AwareDateTime(format="iso")


class AssignSchema(ma.Schema):
    space = _text(required=True)
    person = _text(required=True)


class EnterSchema(ma.Schema):
    space = _text(required=True)
    reason = _text(required=True)
