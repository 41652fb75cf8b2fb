"""The figures in a real browser: narrow and wide, French and English, axe content; a question asked by keyboard."""

from __future__ import annotations

import datetime as dt
import os

import pytest
from sqlalchemy import insert, select

from rse_core import indicators_cells, indicators_roll, roles
from rse_core.api import Actor, Event, utcnow
from rse_core.indicators_facts import note
from rse_core.models.organisation import Person
from rse_core.models.runtime import Visit
from rse_core.testing.browser import LANGUAGES, WIDTHS, overflows
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level
from rse_indicators import plugin, survey

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGES = (
    "/rse/indicators/", "/rse/indicators/engagement_rate/", "/rse/indicators/engagement_rate/?by=entity",
    "/rse/indicators/habit/?by=entity&people=managers", "/rse/indicators/openings/?by=entity", "/rse/indicators/survey/",
    "/rse/indicators/mine/", "/rse/indicators/habit/?by=space", "/rse/indicators/space/garden/",
)  # fmt: skip


@pytest.fixture
def site(rse_site):
    made = rse_site([plugin])
    core, now = made.core, utcnow()
    head = make_entity(core, "head", name="Caisse nationale")
    names = ("Nord-Pas-de-Calais – Picardie", "Sud", "Est")
    entities = [make_entity(core, f"e{n}", name=name, parent=head) for n, name in enumerate(names)]
    made.boss = make_person(core, "boss", name="Solène Kerbrat", entity=head)
    with core.db.write() as session:
        for number, (entity, size) in enumerate(zip(entities, (40, 30, 6), strict=True)):
            rows = [
                {
                    "external_id": f"p{number}-{n}", "username": f"p{number}-{n}", "display_name": f"P {n}",
                    "folded_name": "p", "entity_id": entity.id, "is_manager": n % 3 == 0, "status": "active",
                    "external": False,
                }
                for n in range(size)
            ]  # fmt: skip
            session.execute(insert(Person), rows)
        roles.grant(session, made.boss.id, "site_admin", actor=Actor("test"))
        indicators_roll.roll_up(session, now=now - dt.timedelta(days=100))
        staff = list(session.scalars(select(Person.id)))
        for back in range(1, 95, 3):
            day = (now - dt.timedelta(days=back)).date()
            came = staff[: 20 + back % 50]
            session.execute(insert(Visit), [{"day": day, "person_id": one} for one in came])
            at = dt.datetime.combine(day, dt.time(9), dt.UTC)
            for one in came[:12]:
                note(session, Event("likes.reacted", one, at=at))
        text = "date,entity,respondents,daily\n2026-09-15,,60,20\n2026-09-15,e0,30,12\n"
        survey.load(session, text, actor=Actor("test"))
    make_space(core, "garden", name="Le jardin", managers=[made.boss])
    set_level(core, "comment", entity=entities[0], starts_at=now - dt.timedelta(days=60))
    with core.db.write() as session:
        for day in indicators_roll.roll_up(session, now=now):
            if day.day == 1:
                indicators_cells.make(session, core, day)
    return made


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_accessible_and_fits(site, rse_tab, axe_violations, lang, width):
    tab = rse_tab(site, site.boss, lang=lang, width=width)
    for path in PAGES:
        tab.goto(site.url(path + ("&" if "?" in path else "?") + f"lang={lang}"))
        assert tab.locator("html").get_attribute("lang") == lang
        assert axe_violations(tab) == [], path
        assert not overflows(tab), path
        if os.environ.get("RSE_TEST_PICTURES"):
            tab.screenshot(path=f"{os.environ['RSE_TEST_PICTURES']}/{lang}-{width}-{PAGES.index(path)}.png", full_page=True)


def test_the_colours_hold_in_the_dark(site, rse_tab, axe_violations):
    tab = rse_tab(site, site.boss, color_scheme="dark")
    for path in PAGES[:3]:
        tab.goto(site.url(path))
        assert axe_violations(tab) == [], path


def test_a_question_is_asked_and_its_definition_opened_by_keyboard(site, rse_tab):
    tab = rse_tab(site, site.boss, lang="en")
    tab.goto(site.url("/rse/indicators/engagement_rate/?lang=en"))
    tab.get_by_text("What this counts").focus()
    tab.keyboard.press("Enter")
    tab.get_by_text("People with at least one reaction").wait_for()
    tab.get_by_label("By", exact=True).select_option("entity")
    tab.get_by_role("button", name="Show").press("Enter")
    tab.get_by_role("rowheader", name="Sud").wait_for()
    assert tab.get_by_role("row", name="Est").inner_text().endswith("too few people to be shown")
    assert "by=entity" in tab.url
    tab.get_by_role("img", name="Engagement rate, one bar for each").wait_for()
