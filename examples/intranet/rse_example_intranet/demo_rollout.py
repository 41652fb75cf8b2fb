"""The rollout in the demo: a plan of two waves that was applied a month ago, and what people have done since, and before.

The pilot is large enough for its figures to be shown; those of the second wave speak of fewer than ten people.
"""

from __future__ import annotations

import datetime as dt
from random import Random

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from rse_core import indicators_roll, indicators_standing, policy, rollout
from rse_core.api import Actor, dialect_insert, utcnow
from rse_core.models.indicators import Fact, Pseudonym
from rse_core.models.levels import LevelRow
from rse_core.models.organisation import Entity, Group, GroupMember, Person, Space
from rse_core.models.rollout import RolloutPlace, RolloutPlan, RolloutWave
from rse_core.models.runtime import Visit
from rse_core.runtime import Core

ENTITIES, AMBASSADORS = ("TROIS-RIVIERES", "COTE-BLANCHE", "VAL-ARGENT"), "ambassadeurs"
PLAN = """\
# Le plan de l’ouverture : un pilote, un bilan, puis la suite.
name = "Ouverture"
owners = ["solene.kerbrat"]

[[wave]]
name = "Pilote"
starts = {first}
level = "comment"
entities = {entities}
groups = ["{ambassadors}"]

[[wave]]
name = "Vague 2"
starts = {second}
level = "comment"
entities = ["HAUT-PLATEAU"]
"""
WHY = "Décision du comité de direction, 12 octobre."
#: Where people stand is known since so many days, long enough for a whole month before the opening.
KNOWN = dt.timedelta(days=75)
#: Of the pilot, so many have not come in the last four weeks: enough to be told, as a number.
AWAY = 12
FOUR_WEEKS = 28


def open_up(session: Session, core: Core, opened: dt.timedelta, coming: dt.timedelta, *, actor: Actor) -> None:
    """Apply the plan, as if it had been applied when its first wave began.

    :param opened: how long ago that was.
    :param coming: in how long the second begins.
    """
    now = utcnow()
    entities = ", ".join(f'"{key}"' for key in ENTITIES)
    first, second = ((now + shift).date().isoformat() for shift in (-opened, coming))
    text = PLAN.format(first=first, second=second, entities=f"[{entities}]", ambassadors=AMBASSADORS)
    rollout.apply(session, core, text, actor=actor, why=WHY)
    # A plan that is applied today opens today: here it was, a month ago.
    wave = session.scalars(select(RolloutWave).where(RolloutWave.state == "open")).one()
    began = wave.starts_at
    rows = select(RolloutPlace.level_row_id).where(RolloutPlace.wave_id == wave.id)
    session.execute(update(LevelRow).where(LevelRow.id.in_(rows)).values(starts_at=began, created_at=began))
    wave.opened_at = wave.changed_at = began
    session.execute(update(RolloutPlan).values(saved_at=began, applied_at=began))
    policy.touch(session)


def remember(core: Core, opened: dt.timedelta) -> None:
    """Spread visits and acts over the weeks, and count them: the indicators then have months to show."""
    random, now = Random(75_156), utcnow()  # noqa: S311 - invented visits, not secrets
    today = now.date()
    with core.db.write() as session:
        indicators_standing.note(session, today - KNOWN)
        pilot = _pilot(session)
        keen = set(session.scalars(select(Pseudonym.person_id).join(Fact, Fact.who == Pseudonym.who)))
        # Those who do least are those who stay away; whoever looks through the demo's accounts is not among them.
        known = _accounts()
        pilot.sort(key=lambda one: (one[0] in keen, one[1] in known, one[0]))
        away = {ident for ident, _name in pilot[:AWAY]}
        everybody = list(session.scalars(select(Person.id).where(Person.status == "active").order_by(Person.id)))
        habit = {one: random.random() ** 2 for one in everybody}
        for days in range(KNOWN.days, 0, -1):
            day = today - dt.timedelta(days=days)
            if day.weekday() < 5:
                more = 0.4 if days > opened.days else 0.8
                came = [
                    one for one in everybody
                    if random.random() < more * habit[one] and not (one in away and days <= FOUR_WEEKS)
                ]  # fmt: skip
                _visits(session, [(day, one) for one in came])
        hidden = set(session.scalars(select(Pseudonym.who).where(Pseudonym.person_id.in_(away))))
        for fact in session.scalars(select(Fact).order_by(Fact.id)):
            first = FOUR_WEEKS + 1 if fact.who in hidden else 1
            ago = random.randint(first, opened.days - 1)
            fact.at = now - dt.timedelta(days=ago)
            fact.day = fact.at.date()
        session.flush()
        # Whoever did something was here.
        acted = select(Fact.day, Pseudonym.person_id).join(Pseudonym, Pseudonym.who == Fact.who).distinct()
        _visits(session, [(day, one) for day, one in session.execute(acted) if one is not None])
        session.execute(update(Space).values(created_at=now - opened))
    indicators_roll.rebuild(core)


def _visits(session: Session, rows: list[tuple[dt.date, int]]) -> None:
    if rows:
        values = [{"day": day, "person_id": one} for day, one in rows]
        session.execute(dialect_insert(session, Visit).on_conflict_do_nothing(), values)


def _pilot(session: Session) -> list[tuple[int, str]]:
    """The people of the first wave: id and username."""
    group = select(GroupMember.person_id).join(Group, Group.id == GroupMember.group_id).where(Group.key == AMBASSADORS)
    inside = Person.entity_id.in_(select(Entity.id).where(Entity.key.in_(ENTITIES)))
    rows = session.execute(select(Person.id, Person.username).where(inside | Person.id.in_(group)).order_by(Person.id))
    return [(ident, name) for ident, name in rows]


def _accounts() -> frozenset[str]:
    from rse_example_intranet.demo_identity import KNOWN as accounts

    return accounts
