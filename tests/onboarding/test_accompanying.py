"""Figures for ambassadors and managers: numbers alone, of one set of people, no group of fewer than ten by any way."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from rse_core import charter, indicators, indicators_roll, rollout
from rse_core.api import Actor, Forbidden, Manifest, ObjectRef, Participation, Plugin, hookimpl, utcnow
from rse_core.models.organisation import Person
from rse_core.roles import grant
from rse_core.small_groups import FEW, tells
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_group, make_person
from rse_likes import service as likes
from rse_onboarding import accompanying


@pytest.fixture
def staff(core, north, level):
    """Forty people of the north; the first leads it."""
    level("comment")
    return [make_person(core, f"n{number:02d}", entity=north, is_manager=number == 0) for number in range(40)]


def come(core, people):
    with core.db.write() as session:
        for one in people:
            indicators.record_visit(session, one.id)


def progress(core, person):
    with core.db.read() as session:
        return accompanying.progress(session, person.id)


def told(found):
    return {one.label: one.number for one in found.figures}


def test_a_manager_sees_numbers_of_the_entity(core, staff):
    come(core, staff[:25])
    with core.db.write() as session:
        for one in staff[:12]:
            likes.react(session, one.id, ObjectRef("page", "/news/1"), "like")
        version = charter.publish(session, title="Rules", body="Be kind.", actor=Actor("test"))
        charter.accept(session, staff[1].id, version.id)
    found = progress(core, staff[0])
    assert (found.scope.kind, found.people.number, found.missing.number) == ("entity", 40, 15)
    assert [one.number for one in found.figures] == [25, None, 12, 0, 0]
    assert [one.key for one in found.advice] == ["webinar", "tutorial", "message"]


def test_those_who_see_no_figures_are_refused(core, staff, visit):
    with pytest.raises(Forbidden):
        progress(core, staff[1])
    answer = visit(staff[1]).get("/rse/onboarding/wave")
    assert answer.status_code == 403
    assert "Accompany" not in visit(staff[1]).get("/rse/onboarding/").text
    assert "Accompany" in visit(staff[0]).get("/rse/onboarding/?lang=en").text


def test_ambassadors_are_those_of_the_group_that_the_site_names(core, staff):
    make_group(core, "amb", members=[staff[5]])
    with pytest.raises(Forbidden):
        progress(core, staff[5])
    with core.db.write() as session:
        core.options.set(session, "onboarding.ambassadors", "amb", Actor("test"))
    assert progress(core, staff[5]).scope.kind == "entity"


def test_a_manager_of_a_site_that_wants_teams_sees_their_own_people(core, staff):
    with core.db.write() as session:
        core.options.set(session, "onboarding.managers_see", "team", Actor("test"))
        for one in staff[1:16]:
            session.get(Person, one.id).manager_id = staff[0].id
    found = progress(core, staff[0])
    assert (found.scope.kind, found.people.number, found.parts) == ("team", 15, ())
    with core.db.write() as session:
        core.options.set(session, "onboarding.managers_see", "nothing", Actor("test"))
    with pytest.raises(Forbidden):
        progress(core, staff[0])


def test_below_ten_people_nothing_is_told(core, level, north):
    level("react")
    boss = make_person(core, "boss", entity=north, is_manager=True)
    others = [make_person(core, f"o{number}", entity=north) for number in range(8)]
    come(core, [boss, *others])
    found = progress(core, boss)
    assert (found.people.number, found.figures, found.missing, found.parts) == (None, (), None, ())
    assert found.advice


def test_few_who_came_and_few_who_did_not_are_no_number(core, staff):
    come(core, staff[:3])
    assert told(progress(core, staff[0]))["sont venues au moins une fois"] is None
    come(core, staff[:35])
    found = progress(core, staff[0])
    assert found.figures[0].number is None
    assert found.missing is None


def test_entities_below_are_told_together_where_they_are_small(core, north, level):
    level("comment")
    boss = make_person(core, "boss", entity=north, is_manager=True)
    sizes = {"big": (60, 30), "middle": (30, 12), "small": (6, 2), "full": (20, 18)}
    for name, (number, came) in sizes.items():
        entity = make_entity(core, name, parent=north)
        people = [make_person(core, f"{name}{index}", entity=entity) for index in range(number)]
        come(core, people[:came])
    found = progress(core, boss)
    assert (found.people.number, found.figures[0].number) == (117, 62)
    assert sum(part.people.number for part in found.parts) == 117
    for part in found.parts:
        assert part.people.number >= FEW
        assert not tells(part.people.number, part.visited.number)
        assert part.visited.number == 0 or part.visited.number >= FEW
    assert ("Small",) not in [part.names for part in found.parts]


def test_administrators_of_the_site_see_everybody(core, staff):
    root = make_person(core, "root", entity=None)
    with core.db.write() as session:
        grant(session, staff[3].id, "site_admin", actor=Actor("test"))
    assert progress(core, staff[3]).scope.kind == "site"
    assert root.id


def test_people_from_outside_and_those_who_left_are_not_counted(core, staff, north):
    from rse_core import people

    make_person(core, "ext", entity=north, external=True)
    with core.db.write() as session:
        people.disable(session, staff[39].id)
    assert progress(core, staff[0]).people.number == 39


def test_the_number_of_queries_does_not_depend_on_how_many_there_are(core, staff, north):
    progress(core, staff[0])
    with count_queries(core) as few:
        progress(core, staff[0])
    for index in range(30):
        make_person(core, f"more{index}", entity=make_entity(core, f"m{index}", parent=north))
    progress(core, staff[0])
    with count_queries(core) as many:
        progress(core, staff[0])
    assert len(few) == len(many), f"{few}\n{many}"


def test_the_page_shows_no_name(core, staff, visit):
    come(core, staff[:25])
    page = visit(staff[0]).get("/rse/onboarding/wave?lang=en").text
    assert "came at least once" in page
    assert not any(one.display_name in page for one in staff[1:])


def test_a_text_of_the_site_stands_in_place_of_ours(core, staff, visit):
    with core.db.write() as session:
        core.options.set(session, "onboarding.advice_message", "Call **Zoé**.", Actor("test"))
        core.options.set(session, "onboarding.webinar", "https://visio.example/1", Actor("test"))
    page = visit(staff[0]).get("/rse/onboarding/wave").text
    assert "Call <strong>Zoé</strong>." in page
    assert 'href="https://visio.example/1"' in page


class Broken(Plugin):
    manifest = Manifest(name="broken", label="Broken")

    @hookimpl
    def rse_participation(self):
        def fail(_session):
            raise RuntimeError("no")

        return [Participation("broken.used", "used it", fail)]


def test_a_plugin_whose_figure_fails_is_left_out(rse_core, rse_plugins):
    core = rse_core([*rse_plugins, Broken()], strict=False)
    north = make_entity(core, "north")
    boss = make_person(core, "boss", entity=north, is_manager=True, level=None)
    for number in range(12):
        make_person(core, f"p{number}", entity=north)
    from rse_core.testing.organisation import set_level

    set_level(core, "react", entity=north)
    assert "used it" not in told(progress(core, boss))


PLAN = """
name = "plan"
[[wave]]
name = "pilot"
starts = 2026-01-10
level = "comment"
entities = ["north", "south"]
[[wave]]
name = "rest"
starts = 2027-03-01
level = "comment"
entities = ["*"]
"""


@pytest.fixture
def waves(core, staff):
    """``waves(number)``: a wave of the north and of so many people of the south, a month ago, and everybody counted."""
    days = dt.timedelta(days=1)

    def waves(number):
        south = make_entity(core, "south")
        others = [make_person(core, f"s{index:02d}", entity=south) for index in range(number)]
        now = utcnow()
        with time_machine.travel(now - 40 * days, tick=False), core.db.write() as session:
            rollout.apply(session, core, PLAN, actor=Actor("test"))
            indicators_roll.roll_up(session)
        with time_machine.travel(now - days, tick=False):
            come(core, [*staff[:25], *others[:15]])
            with core.db.write() as session:
                version = charter.publish(session, title="Rules", body="Be kind.", actor=Actor("test"))
                for one in (*staff[:3], *others[:2]):
                    charter.accept(session, one.id, version.id)
                indicators_roll.roll_up(session)
        with core.db.write() as session:
            indicators_roll.roll_up(session)
        return others

    return waves


def test_the_wave_is_told_as_rates_and_who_is_missing_as_a_number(core, staff, waves, visit):
    waves(30)
    found = progress(core, staff[0])
    assert found.wave.wave == "pilot"
    counts = {one.name: (one.done, one.left, one.few) for one in found.wave.counts}
    assert counts == {
        "connection_rate": (40, 30, ""), "engagement_rate": (None, None, "done"), "charter_acceptance": (None, None, "done"),
    }  # fmt: skip
    assert (round(found.wave.counts[0].rate, 2), found.people.number, found.beside) == (0.57, 40, False)
    assert found.wave.early
    page = visit(staff[0]).get("/rse/onboarding/wave?lang=en").text
    assert "The wave “pilot”" in page
    assert "57 %" in page
    assert "fewer than ten have" in page
    assert "Too early for a verdict" in page
    told = visit(staff[0]).get("/rse/api/v1/onboarding/wave").get_json()["wave"]
    assert [(one["done"], one["left"]) for one in told["counts"]] == [(40, 30), (None, None), (None, None)]
    assert 0.57 < told["counts"][0]["rate"] < 0.58


def test_beside_a_wave_an_entity_does_not_betray_the_few_others(core, staff, waves, visit):
    waves(5)
    found = progress(core, staff[0])
    # Five people of the south are all that the wave has beside the north.
    assert (found.figures, found.parts, found.missing, found.beside) == ((), (), None, True)
    assert found.wave.counts[0].done == 30
    page = visit(staff[0]).get("/rse/onboarding/wave?lang=en").text
    assert "they are not shown" in page


def test_who_is_in_no_wave_sees_none(core, staff):
    assert progress(core, staff[0]).wave is None
