"""Two at once: one report each, one case, one decision."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from rse_core.api import Conflict, ObjectRef
from rse_governance import cases, casework, queue
from rse_governance.models import Case, Report


def at_once(*acts):
    """What each says: its result, or the error that it raised."""

    def safely(act):
        try:
            return act()
        except Conflict as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(safely, acts))


def test_reports_at_once_make_one_case_and_one_report_a_person(site, people, wall):
    note = wall.write(site, people["anna"], "an insult")
    ref = ObjectRef("wall.note", str(note.id))

    def report(name):
        def act():
            with site.db.write() as session:
                return cases.report(session, people[name].id, ref, kind="hurtful")

        return act

    said = at_once(*(report(name) for name in ("ben", "ben", "cleo", "max", "ben")))
    assert sorted(said) == [False, False, True, True, True]
    with site.db.read() as session:
        assert session.scalars(select(Case.reports)).all() == [3]
        assert session.scalar(select(func.count()).select_from(Report)) == 3


def test_of_two_decisions_at_once_one_holds(site, people, moderated, wall):
    wall.write(site, people["anna"], "a text")
    with site.db.read() as session:
        number = queue.page(session, people["mo"].id).lines[0].row.id

    def decide(name, approve):
        def act():
            with site.db.write() as session:
                return queue.decide(session, people[name].id, number, approve=approve, reason="Because.").state

        return act

    said = at_once(decide("mo", True), decide("ada", False))
    assert sum(isinstance(one, Conflict) for one in said) == 1


def test_of_two_moderators_one_decides_a_case(site, people, wall):
    note = wall.write(site, people["anna"], "an insult")
    with site.db.write() as session:
        cases.report(session, people["ben"].id, ObjectRef("wall.note", str(note.id)), kind="hurtful")
    with site.db.read() as session:
        number = casework.page(session, people["mo"].id).lines[0].row.id

    def decide(name, hide):
        def act():
            with site.db.write() as session:
                return cases.decide(session, people[name].id, number, hide=hide, reason="Because.").state

        return act

    said = at_once(decide("mo", True), decide("ada", False))
    assert sum(isinstance(one, Conflict) for one in said) == 1
    assert (wall.notes[note.id].state == "hidden") is ("hidden" in said)
