"""Schemas of the REST resources."""

from __future__ import annotations

import marshmallow as ma

from .fields import AUDIENCES

_F = ma.fields


def _text(most: int = 300) -> ma.fields.String:
    return _F.String(load_default="", validate=ma.validate.Length(max=most))


class DirectoryQuery(ma.Schema):
    q = _F.String(load_default="", validate=ma.validate.Length(max=100), metadata={"description": "name, job, number …"})
    entity = _F.String(load_default="", metadata={"description": "key of an entity; with those below it"})
    site, job = _text(), _text()
    skill = _F.String(load_default="", metadata={"description": "key of a word of expertise"})
    outside = _F.Boolean(load_default=False, metadata={"description": "people from outside, who are listed apart"})
    former = _F.Boolean(load_default=False, metadata={"description": "who has left; for administrators of the site"})


class DirectoryListQuery(DirectoryQuery):
    cursor = _F.String(load_default="")
    limit = _F.Integer(load_default=20, validate=ma.validate.Range(1, 50))


class DirectorySuggestQuery(ma.Schema):
    q = _text(100)


class DirectoryLineSchema(ma.Schema):
    key, label, value = _F.String(), _F.String(), _F.String()


class DirectoryCardSchema(ma.Schema):
    """Somebody, with the fields that are shown to who asks and no others."""

    username = _F.String()
    display_name = _F.String(data_key="name")
    entity_name = _F.String(data_key="entity")
    active, external = _F.Boolean(), _F.Boolean()
    fields_ = _F.Function(
        lambda card: [{"key": one.key, "label": one.label, "value": one.value} for one in card.lines.values()],
        data_key="fields",
    )
    skills = _F.List(_F.String(), data_key="expertise")
    others = _F.List(_F.String(), data_key="other_entities")


class DirectoryPageSchema(ma.Schema):
    items = _F.List(_F.Nested(DirectoryCardSchema))
    next = _F.String(allow_none=True)
    near = _F.Boolean(metadata={"description": "nothing was found as typed; these names are close to it"})
    alike = _F.List(
        _F.Nested(DirectoryCardSchema),
        metadata={"description": "beside few who were found as typed: some whose names sound so"},
    )


class DirectoryValueSchema(ma.Schema):
    key, label = _F.String(), _F.String()
    count = _F.Integer(allow_none=True, metadata={"description": "null where there are too many people to count"})


class DirectoryFacetSchema(ma.Schema):
    name = _F.String()
    values = _F.List(_F.Nested(DirectoryValueSchema))


class DirectoryExpertiseSchema(ma.Schema):
    key, label = _F.String(), _F.String()
    endorsed = _F.Integer()
    by_me = _F.Boolean()


class DirectoryCommunitySchema(ma.Schema):
    name, url = _F.String(), _F.String()


class DirectoryPersonSchema(ma.Schema):
    card = _F.Nested(DirectoryCardSchema, data_key="person")
    entities = _F.List(_F.String(), metadata={"description": "from the top down to their own"})
    manager = _F.Nested(DirectoryCardSchema, allow_none=True)
    assistants, assists = (_F.List(_F.Nested(DirectoryCardSchema)) for _number in range(2))
    expertise = _F.List(_F.Nested(DirectoryExpertiseSchema))
    communities = _F.List(
        _F.Nested(DirectoryCommunitySchema), metadata={"description": "that everybody sees into, or that both are in"}
    )
    birthday = _F.Function(lambda page: f"--{page.birthday[1]:02}-{page.birthday[0]:02}" if page.birthday else None)
    own = _F.Boolean()
    filled = _F.Integer()
    source = _F.String(metadata={"description": "who keeps the locked fields; of oneself only"})
    synchronised_at = _F.AwareDateTime(allow_none=True)
    locked = _F.Function(lambda page: sorted(page.kept))


class DirectoryEditBody(ma.Schema):
    """Only what is named is changed."""

    about, experience, projects, languages = (_F.String() for _number in range(4))
    phone, site, job_title = (_F.String() for _number in range(3))
    own = _F.Dict(keys=_F.String(), values=_F.String(), metadata={"description": "fields of the site's own"})
    skills = _F.List(_F.String(), data_key="expertise")
    choices = _F.Dict(
        keys=_F.String(), values=_F.String(validate=ma.validate.OneOf(["", *AUDIENCES])),
        metadata={"description": "field to whom it is shown; empty leaves it to the site"},
    )  # fmt: skip
    listed = _F.Boolean()
    birthday = _F.String(allow_none=True, validate=ma.validate.Regexp(r"--\d\d-\d\d\Z"), metadata={"description": "--MM-DD"})
    version = _F.Integer()


class DirectoryEndorseBody(ma.Schema):
    skill = _F.String(required=True)
    on = _F.Boolean(load_default=True)


class DirectoryAskBody(ma.Schema):
    message = _F.String(required=True)
    skill = _text(120)


class DirectoryAskedSchema(ma.Schema):
    id = _F.Integer()


class DirectoryReportBody(ma.Schema):
    reason = _F.String(required=True)


class DirectoryVocabularyQuery(ma.Schema):
    q = _text(120)
    after = _text(120)
    limit = _F.Integer(load_default=50, validate=ma.validate.Range(1, 100))


class DirectorySkillBody(ma.Schema):
    label = _F.String(required=True)


class DirectorySkillSchema(ma.Schema):
    key, label = _F.String(), _F.String()


class DirectoryChartQuery(ma.Schema):
    of = _text(200)
    depth = _F.Integer(load_default=2, validate=ma.validate.Range(1, 4))


class DirectoryNodeSchema(ma.Schema):
    card = _F.Nested(DirectoryCardSchema, data_key="person")
    below = _F.List(_F.Nested(lambda: DirectoryNodeSchema()))
    assistants = _F.List(_F.Nested(DirectoryCardSchema))
    more, deeper = _F.Boolean(), _F.Boolean()


class DirectoryChartSchema(ma.Schema):
    above = _F.List(_F.Nested(DirectoryCardSchema))
    nodes = _F.List(_F.Nested(DirectoryNodeSchema))
    more = _F.Boolean()


class DirectoryEntityNodeSchema(ma.Schema):
    key, name = _F.String(), _F.String()
    heads = _F.List(_F.Nested(DirectoryCardSchema))
    below = _F.List(_F.Nested(lambda: DirectoryEntityNodeSchema()))
    more = _F.Boolean()


class DirectoryArrivalSchema(ma.Schema):
    card = _F.Nested(DirectoryCardSchema, data_key="person")
    since = _F.AwareDateTime()


class DirectoryCompletionSchema(ma.Schema):
    key, name = _F.String(), _F.String()
    people, rate = _F.Integer(), _F.Integer()
