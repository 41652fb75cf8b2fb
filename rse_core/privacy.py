"""What is kept about a person: exported for them, and erased or made anonymous when they ask.

The core's own data is described below in the same way as a plugin's: by
:class:`~rse_core.contributions.PersonalData`. An erased
person keeps a row without name, so that what others answered to stays readable; nothing leads from it to who it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .audit import Actor, record
from .contributions import PersonalData
from .db import utcnow
from .errors import RseError
from .freshness import touch
from .i18n import _, use_locale
from .models.organisation import Person
from .people import folded, get
from .privacy_data import CORE_DATA, forget_labels
from .runtime import core_of


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of personal data, and whose it is: the core's (``owner`` ``core``) or a plugin's."""

    owner: str
    data: PersonalData


def kinds(session: Session) -> list[Kept]:
    """Every kind of personal data on this site, the core's first."""
    found = [Kept("core", data) for data in CORE_DATA]
    known = {data.name for data in CORE_DATA}
    plugins: Sequence[tuple[str, PersonalData]] = core_of(session).plugins.contributions(PersonalData)
    found += [Kept(owner, data) for owner, data in plugins if owner != "core" or data.name not in known]
    return found


def export(session: Session, person_id: int) -> dict[str, Any]:
    """Everything kept about a person, JSON-ready.

    :raises NotFound: when there is no such person.
    :raises PluginError: when a plugin cannot say what it keeps; an incomplete export must not look complete.
    """
    person = get(session, person_id)
    sections = []
    for kept in kinds(session):
        data = kept.data
        try:
            rows = [dict(row) for row in data.export(session, person_id)]
        except RseError:
            raise
        except Exception as error:
            raise _failed(kept, error, "exported") from error
        sections.append(
            {
                "owner": kept.owner,
                "name": data.name,
                "label": str(data.label),
                "purpose": str(data.purpose),
                "retention": str(data.retention),
                "rows": rows,
            }
        )
    return {
        "person": person.username,
        "display_name": person.display_name,
        "exported_at": utcnow().isoformat(),
        "sections": sections,
    }


def erase(session: Session, person_id: int, *, actor: Actor, why: str = "") -> dict[str, int]:
    """Make the person anonymous and let every plugin erase what it keeps; rows changed, by kind of data.

    All or nothing: when one plugin fails, nothing is erased. The person can do nothing from then on.
    Somebody who is still in
    the organisation's files comes back as a new person at the next import.

    :raises NotFound: when there is no such person.
    :raises PluginError: names the plugin that failed.
    """
    touch(session, person_id)
    person = get(session, person_id)
    counts: dict[str, int] = {}
    # Plugins first: they may still need to know who it was.
    for kept in reversed(kinds(session)):
        try:
            counts[kept.data.name] = kept.data.erase(session, person_id)
        except RseError:
            raise
        except Exception as error:
            raise _failed(kept, error, "erased") from error
    forget_labels(session, person.username, f"erased-{person_id}")
    _make_anonymous(session, person)
    record(session, actor, "privacy.erase", f"person:{person.username}", after=counts, why=why)
    session.flush()
    return counts


def is_erased(person: Person) -> bool:
    """Whether this person has been made anonymous."""
    return person.source == "erased"


def _make_anonymous(session: Session, person: Person) -> None:
    with use_locale(core_of(session).settings.default_locale):
        name = _("Former account")
    person.external_id = person.username = f"erased-{person.id}"
    person.display_name, person.folded_name = name, folded(name)
    person.email = person.job_title = person.locale = person.phone = person.site = ""
    person.entity_id = person.manager_id = None
    person.is_manager = False
    person.status, person.source = "disabled", "erased"
    person.disabled_at = person.disabled_at or utcnow()
    person.updated_at = utcnow()
    for other in session.scalars(select(Person).where(Person.manager_id == person.id)):
        other.manager_id = None


def _failed(kept: Kept, error: Exception, verb: str) -> RseError:
    from .errors import PluginError

    return PluginError(
        f"The data “{kept.data.name}” of “{kept.owner}” cannot be {verb}: {type(error).__name__}: {error}.",
        remedy="Nothing was changed. Mend or update that plugin, then try again.",
        plugin=kept.owner,
    )
