"""The directory of the demo: the profiles of ``profiles.csv``, written through the services, and who came when."""

from __future__ import annotations

import csv
import datetime as dt
from importlib.resources import files as resources
from io import BytesIO
from random import Random
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from rse_core import files, organisation, people, places
from rse_core.api import Actor, can, core_of, utcnow
from rse_core.models.organisation import Person
from rse_directory import access, editing, indexing, skills
from rse_example_intranet.demo_portraits import portrait

#: A field of the site's own, as an organisation would add one.
FIELDS = {"office": {"label": {"fr": "Bureau", "en": "Office"}, "card": True}}
#: Who has come lately, and how many days ago; all others have been here for years.
ARRIVALS = {
    "karim.saidi": 3, "fatima.belkacem": 9, "joelle.peltier": 16, "agathe.viallet": 24, "xavier.schmitt": 38,
    "zoe.bourguignon": 41,
}  # fmt: skip
#: Somebody who shows a field to fewer people than is usual here.
CHOICES = {"adele.loiseau": {"phone": "entity"}, "therese.pages": {"experience": "nobody"}}
#: Who is in an entity beside their main one, and who assists whom.
BESIDE = {"hortense.vidal": ("TROIS-RIVIERES", "COTE-BLANCHE"), "yanis.belkacem": ("TROIS-RIVIERES",)}
ASSISTED = {"solene.kerbrat": "noemie.besancon", "remi.castaing": "loic.gueguen", "ghislaine.thevenet": "mireille.soulie"}
WHY = "Les bureaux sont sur la fiche depuis le déménagement."


def prepare(session: Session, actor: Actor) -> None:
    """Settle the fields; people have been here for years, but for those who have just come."""
    core_of(session).options.set(session, "directory.fields", FIELDS, actor, why=WHY)
    now = utcnow()
    session.execute(update(Person).values(created_at=now - dt.timedelta(days=900)))
    for username, days in ARRIVALS.items():
        session.execute(
            update(Person).where(Person.username == username).values(created_at=now - dt.timedelta(days=days, hours=3))
        )


    for username, keys in BESIDE.items():
        entities = [organisation.entity_by_key(session, key).id for key in keys]
        places.set_others(session, people.by_username(session, username).id, entities)
    for username, helper in ASSISTED.items():
        assistant = people.by_username(session, helper).id
        places.set_assistants(session, people.by_username(session, username).id, [assistant])


def write_profiles(session: Session, actor: Actor) -> None:
    """The vocabulary, then everybody's profile as they would have filled it in."""
    rows = _rows()
    for label in sorted({label for row in rows for label in _skills(row)}):
        skills.add(session, actor, label)
    for row in rows:
        person = people.by_username(session, row["username"])
        values: dict[str, Any] = {key: row[key] for key in ("languages", "about", "experience", "projects", "office")}
        values["skills"] = _skills(row)
        values["choices"] = CHOICES.get(row["username"], {})
        if row["birthday"]:
            born = utcnow().date() + dt.timedelta(days=int(row["birthday"]))
            # The one day that is not there each year.
            values["birthday"] = (28, 2) if (born.day, born.month) == (29, 2) else (born.day, born.month)
        if row["photo"]:
            values["photo"] = [_photo(session, person, row["photo"])]
        editing.edit(session, person.id, {key: value for key, value in values.items() if value})


def confirm(session: Session) -> None:
    """Colleagues confirm what each other know; more for what comes first in somebody's list."""
    random = Random(2026)  # noqa: S311 - invented confirmations, not secrets
    rows = _rows()
    ids = {row["username"]: people.by_username(session, row["username"]).id for row in rows}
    for row in rows:
        if row["username"] in ARRIVALS:
            continue
        for place, label in enumerate(_skills(row)):
            for by_id in random.sample(sorted(ids.values()), random.randint(0, max(1, 9 - 4 * place))):
                if by_id != ids[row["username"]] and can(session, by_id, access.ENDORSE).allowed:
                    skills.endorse(session, by_id, row["username"], label)


def follow(session: Session) -> None:
    """Words for those who wrote nothing, so that the first search finds everybody."""
    while found := indexing.behind(session):
        indexing.refresh(session, found)


def _photo(session: Session, person: Person, looks: str) -> str:
    name = f"{person.username}.png"
    return files.keep(session, person.id, BytesIO(portrait(person.username, looks)), name).key


def _skills(row: dict[str, str]) -> list[str]:
    return [label.strip() for label in row["skills"].split(",") if label.strip()]


def _rows() -> list[dict[str, str]]:
    source = (resources(__package__) / "data" / "profiles.csv").read_text("utf-8")
    return list(csv.DictReader(source.splitlines(keepends=True)))
