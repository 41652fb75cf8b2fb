"""The fields of a profile: whom the site shows them, what it imposes, who keeps them, and what a person chose."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import directory
from rse_core.api import BadInput, LazyText, Text, core_of, current_locale, option, translator
from rse_core.models.organisation import Person

from .models import Choice

_t = translator(__file__, "rse_directory")
_, lazy = _t.gettext, _t.lazy
#: Whom a field is shown: codes as they are kept. 0 leaves it to the site.
AUDIENCES: dict[str, int] = {"everyone": 1, "entity": 2, "managers": 3, "nobody": 4}
EVERYONE, ENTITY, MANAGERS, NOBODY = 1, 2, 3, 4
AUDIENCE_LABELS: dict[str, LazyText] = {
    "everyone": lazy("everyone"),
    "entity": lazy("my entity"),
    "managers": lazy("managers"),
    "nobody": lazy("nobody"),
}
#: Fields of the core's person.
CORE = ("display_name", "entity", "job_title", "site", "email", "phone", "manager")
#: Fields of the profile that the person writes.
TEXTS = ("about", "experience", "projects", "languages")
#: What a text may have at most.
MOST = {"about": 4000, "experience": 8000, "projects": 4000, "languages": 300}
#: Fields that people are found by, beside the name, the job and the site.
SEARCHED = ("job_title", "site", "email", "phone", "expertise", "experience", "projects", "languages", "about")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``imposed``: people cannot narrow it. ``card``: it stands on the card of a list."""

    key: str
    label: Text
    audience: int = EVERYONE
    imposed: bool = False
    card: bool = False
    own: bool = False
    titles: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        """What people read, in their language."""
        chosen = dict(self.titles)
        return chosen.get(current_locale()) or chosen.get("en") or next(iter(chosen.values()), "") or str(self.label)


BUILT_IN: dict[str, Field] = {
    one.key: one
    for one in (
        Field("job_title", lazy("Job"), imposed=True, card=True),
        Field("site", lazy("Site"), imposed=True, card=True),
        Field("email", lazy("E-mail"), card=True),
        Field("phone", lazy("Telephone"), card=True),
        Field("manager", lazy("Manager"), imposed=True),
        Field("assistant", lazy("Assistant"), imposed=True),
        Field("photo", lazy("Photo"), card=True),
        Field("about", lazy("About")),
        Field("expertise", lazy("Expertise"), card=True),
        Field("experience", lazy("Experience")),
        Field("projects", lazy("Projects")),
        Field("languages", lazy("Languages")),
        Field("communities", lazy("Communities")),
        Field("birthday", lazy("Birthday")),
    )
}


def parse_fields(value: Any) -> Mapping[str, Field]:
    """The setting ``directory.fields``: what differs from the built-in fields, and fields of the site's own.

    :raises BadInput: names the field and what is wrong with it.
    """
    if not isinstance(value, dict):
        raise BadInput(_("Give the fields as a JSON object."), remedy='{"phone": {"audience": "entity"}}')
    found = dict(BUILT_IN)
    for key, given in value.items():
        if not isinstance(key, str) or not _KEY.match(key) or key in ("display_name", "entity", "name"):
            raise BadInput(_("“%(name)s” cannot be the name of a field.", name=str(key)[:80]))
        if not isinstance(given, dict) or not set(given) <= {"label", "audience", "imposed", "card"}:
            message = _("The field “%(name)s” is not described as it should be.", name=key)
            raise BadInput(
                message, remedy='{"label": {"en": "Office"}, "audience": "everyone", "imposed": false, "card": true}'
            )
        field = found.get(key) or Field(key, key, own=True)
        audience = given.get("audience", next(name for name, code in AUDIENCES.items() if code == field.audience))
        if audience not in AUDIENCES:
            raise BadInput(
                _("The field “%(name)s” is shown to nobody of that name.", name=key),
                remedy=_("Use one of: %(choices)s.", choices=", ".join(AUDIENCES)),
            )
        label = given.get("label", {})
        titles = label.items() if isinstance(label, dict) else (("en", label),)
        field = replace(
            field, audience=AUDIENCES[audience], imposed=bool(given.get("imposed", field.imposed)),
            card=bool(given.get("card", field.card)), titles=tuple((str(lang), str(text)[:80]) for lang, text in titles),
        )  # fmt: skip
        found[key] = field
    return found


def fields(session: Session) -> Mapping[str, Field]:
    """Every field by key."""
    known: Mapping[str, Field] = option(session, "directory.fields")
    return known


def effective(field: Field, choice: int) -> int:
    """Whom a field is shown, given the person's choice (0 for none)."""
    return field.audience if field.imposed or not choice else choice


def choices(session: Session, ids: Iterable[int]) -> Mapping[int, Mapping[str, int]]:
    """What these people chose, by person and field; one query."""
    found: dict[int, dict[str, int]] = {}
    rows = select(Choice.person_id, Choice.field, Choice.audience).where(Choice.person_id.in_(sorted(set(ids))))
    for person_id, field, audience in session.execute(rows):
        found.setdefault(person_id, {})[field] = audience
    return found


def name_of(code: int) -> str:
    """The name of an audience's code; "" for 0."""
    return next((name for name, other in AUDIENCES.items() if other == code), "")


# Who keeps a field

SOURCES: dict[str, LazyText] = {
    "csv": lazy("the organisation's file"),
    "ldap": lazy("the LDAP directory"),
    "scim": lazy("the identity provider"),
    "hr": lazy("human resources"),
    "local": lazy("the administrators of this site"),
}
#: By source, the fields that it keeps; of a source that is not named, all of the core's.
KEPT: dict[str, list[str]] = {"local": ["display_name", "entity", "email", "manager"]}


def parse_kept(value: Any) -> Mapping[str, frozenset[str]]:
    """The setting ``directory.kept``.

    :raises BadInput: for what is no object of lists of fields of the core's, or the photo.
    """
    known = {*CORE, "photo"}
    if not isinstance(value, dict) or not all(isinstance(one, list) and set(one) <= known for one in value.values()):
        raise BadInput(
            _("Give for each source the fields that it keeps."), remedy='{"csv": ["display_name", "entity", "job_title"]}'
        )
    return {str(source): frozenset(names) | {"display_name", "entity"} for source, names in value.items()}


def kept_by(session: Session, source: str) -> frozenset[str]:
    """The fields that this source keeps: the person cannot change them here."""
    known: Mapping[str, frozenset[str]] = option(session, "directory.kept")
    return known.get(source, known.get(source.partition(".")[0], frozenset(CORE)))


def synchronised_at(session: Session, person: Person) -> dt.datetime:
    """When the source of this person was last followed: its last run, else when they were last changed."""
    return directory.last_done(session, person.source) or person.updated_at


def source_label(session: Session, source: str) -> str:
    """What people call a source."""
    found = core_of(session).plugins.directory_sources().get(source)
    return str(SOURCES.get(source.partition(".")[0]) or (found.label if found else source))
