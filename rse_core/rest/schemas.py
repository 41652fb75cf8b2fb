"""Schemas of the core's resources."""

from __future__ import annotations

import marshmallow as ma

SCOPES = ("site", "entity", "group", "space", "section")
KINDS = ("level", "ceiling", "cap")


class LevelField(ma.fields.Field[object]):
    """A level by its number or its name in English or French."""

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: object) -> object:
        from ..errors import BadInput
        from ..levels import parse_level

        if not isinstance(value, (str, int)) or isinstance(value, bool):
            raise ma.ValidationError("Give a level: 0 to 5, or its name.")
        try:
            return parse_level(value)
        except BadInput as error:
            raise ma.ValidationError(str(error)) from None


class DecisionQuery(ma.Schema):
    capability = ma.fields.String(required=True, validate=ma.validate.Length(1, 80))
    ref = ma.fields.String(load_default=None, metadata={"description": "TYPE:ID, for example page:/news/12"})
    at = ma.fields.AwareDateTime(load_default=None, metadata={"description": "another moment, with its zone"})


class DecisionSchema(ma.Schema):
    """The answer of the rule of the cursor."""

    allowed = ma.fields.Boolean()
    mode = ma.fields.String(metadata={"description": "open, or review: held until a moderator approves"})
    reason = ma.fields.String()
    message = ma.fields.String()
    effective_level = ma.fields.Integer(allow_none=True)
    required_level = ma.fields.Integer(allow_none=True)
    opens_at = ma.fields.String(allow_none=True)
    trail = ma.fields.List(ma.fields.Dict(), metadata={"description": "every rule looked at, for site administrators"})


class MeSchema(ma.Schema):
    id = ma.fields.Integer()
    username = ma.fields.String()
    display_name = ma.fields.String()
    entity = ma.fields.String()
    job_title = ma.fields.String()
    locale = ma.fields.String()
    level = ma.fields.Integer(metadata={"description": "0 inform … 5 co-create"})
    level_name = ma.fields.String()


class PlaceQuery(ma.Schema):
    scope = ma.fields.String(load_default="site", validate=ma.validate.OneOf(SCOPES))
    key = ma.fields.String(
        load_default="", validate=ma.validate.Length(max=300), metadata={"description": "external id, or a path"}
    )


class LevelRowSchema(ma.Schema):
    kind = ma.fields.String()
    scope = ma.fields.String()
    key = ma.fields.String()
    level = ma.fields.Integer(allow_none=True)
    starts_at = ma.fields.String()
    in_force = ma.fields.Boolean()
    who = ma.fields.String()
    why = ma.fields.String()


class LevelBody(PlaceQuery):
    kind = ma.fields.String(load_default="level", validate=ma.validate.OneOf(KINDS))
    level = LevelField(
        required=True, allow_none=True, metadata={"description": "0 to 5 or a name; null withdraws", "type": "integer"}
    )
    starts_at = ma.fields.AwareDateTime(load_default=None, metadata={"description": "from when; now when left out"})
    why = ma.fields.String(load_default="", validate=ma.validate.Length(max=2000))
    dry_run = ma.fields.Boolean(load_default=False, metadata={"description": "only tell the effect"})


class EffectSchema(ma.Schema):
    at = ma.fields.String()
    people = ma.fields.Integer()
    gains = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    loses = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    rises = ma.fields.Integer()
    falls = ma.fields.Integer()
    sentence = ma.fields.String()
    placed = ma.fields.Boolean()
    id = ma.fields.Integer(allow_none=True, metadata={"description": "of the row, when it was placed"})


class CapabilitySchema(ma.Schema):
    key = ma.fields.String()
    label = ma.fields.String()
    description = ma.fields.String()
    plugin = ma.fields.String()
    level = ma.fields.Integer(metadata={"description": "from which it opens on this site"})
    default_level = ma.fields.Integer(metadata={"description": "the plugin's own"})
    writes = ma.fields.Boolean()
    reviewed = ma.fields.Boolean()


class CapabilityBody(ma.Schema):
    level = LevelField(
        required=True, allow_none=True, metadata={"description": "null: the plugin's own", "type": "integer"}
    )


class PluginSchema(ma.Schema):
    name = ma.fields.String()
    label = ma.fields.String()
    version = ma.fields.String()
    kind = ma.fields.String()
    status = ma.fields.String()
    reason = ma.fields.String()
    remedy = ma.fields.String()
    requires = ma.fields.List(ma.fields.String())
    switches = ma.fields.List(ma.fields.Dict())


class SwitchBody(PlaceQuery):
    scope = ma.fields.String(load_default="site", validate=ma.validate.OneOf(SCOPES[:4]))
    enabled = ma.fields.Boolean(required=True)


class PageQuery(ma.Schema):
    cursor = ma.fields.String(load_default=None, metadata={"description": "from the page before"})
    limit = ma.fields.Integer(load_default=50, validate=ma.validate.Range(1, 200))


class EntityQuery(PageQuery):
    parent = ma.fields.String(load_default=None, metadata={"description": "external id: only what is right below"})


class EntitySchema(ma.Schema):
    key = ma.fields.String()
    name = ma.fields.String()
    parent = ma.fields.String(allow_none=True)


class EntityPage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(EntitySchema))
    next = ma.fields.String(allow_none=True, metadata={"description": "cursor of the next page, null at the end"})


class AuditQuery(PageQuery):
    act = ma.fields.String(load_default=None)
    subject = ma.fields.String(load_default=None)


class AuditSchema(ma.Schema):
    id = ma.fields.Integer()
    at = ma.fields.AwareDateTime()
    actor = ma.fields.String()
    act = ma.fields.String()
    subject = ma.fields.String()
    before = ma.fields.Raw(allow_none=True)
    after = ma.fields.Raw(allow_none=True)
    why = ma.fields.String()


class AuditPage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(AuditSchema))
    next = ma.fields.String(allow_none=True)


class SessionSchema(ma.Schema):
    """A browser in which somebody is signed in."""

    id = ma.fields.Integer()
    label = ma.fields.String()
    began_at = ma.fields.AwareDateTime(format="iso")
    seen_at = ma.fields.AwareDateTime(format="iso")
    mine = ma.fields.Boolean(metadata={"description": "the session that asks"})
