"""The cursor and the pages around it, in a real browser: by mouse, by keyboard, without JavaScript, in both languages."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from rse_core import roles
from rse_core.api import Actor, Capability, Level, Manifest, Plugin, Setting, hookimpl
from rse_core.models.levels import LevelRow
from rse_core.testing.browser import LANGUAGES, WIDTHS, overflows
from rse_core.testing.organisation import make_entity, make_group, make_person, set_level

pytestmark = pytest.mark.browser
PAGES = (
    "/rse/",
    "/rse/me/",
    "/rse/admin/",
    "/rse/admin/?scope=entity&key=north&level=3",
    "/rse/admin/plugins/",
    "/rse/admin/capabilities/",
    "/rse/admin/settings/",
    "/rse/admin/journal/",
    "/rse/admin/why/",
    "/rse/admin/why/?person=north1&capability=talk.write&on=/rh/conges",
    "/rse/admin/why/?person=nor",
    "/rse/nowhere",
)


class Talk(Plugin):
    manifest = Manifest("talk", "Talk")

    @hookimpl
    def rse_capabilities(self) -> list[Capability]:
        return [
            Capability("talk.react", "React to talk", Level.REACT),
            Capability("talk.write", "Write talk", Level.COMMENT),
            Capability("talk.post", "Begin a talk", Level.CONTRIBUTE),
        ]

    @hookimpl
    def rse_settings_forms(self) -> list[Setting]:
        return [
            Setting("talk.most", "Most talks", 3, int, help="At once.", kind="number"),
            Setting("talk.loud", "Loud", False, bool, kind="boolean"),
        ]


@pytest.fixture
def site(rse_site: Any) -> Any:
    made = rse_site([Talk()], site_name="Assurance publique")
    top = make_entity(made.core, "top", name="Assurance publique")
    north = make_entity(made.core, "north", name="Caisse régionale du Nord-Pas-de-Calais", parent=top)
    made.boss = make_person(made.core, "boss", name="Solène Kerbrat", entity=top)
    for n in range(3):
        make_person(made.core, f"north{n}", entity=north)
    make_group(made.core, "ambassadors", name="Ambassadeurs")
    set_level(made.core, Level.REACT, why="Départ")
    set_level(made.core, Level.COLLABORATE, entity=north, kind="ceiling", why="Décision de la direction")
    set_level(made.core, Level.COMMENT, section="/rh", kind="cap")
    with made.core.db.write() as session:
        roles.grant(session, made.boss.id, "site_admin", actor=Actor("test"))
    made.north = north
    return made


def placed(site: Any) -> list[tuple[str, str, int | None, str]]:
    with site.core.db.read() as session:
        rows = session.scalars(select(LevelRow).where(LevelRow.created_by == "boss").order_by(LevelRow.id))
        return [(row.kind, row.scope, row.level, row.why) for row in rows]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_accessible_and_fits(
    site: Any, rse_tab: Any, axe_violations: Any, lang: str, width: int
) -> None:
    tab = rse_tab(site, site.boss, lang=lang, width=width)
    for path in PAGES:
        tab.goto(site.url(path + ("&" if "?" in path else "?") + f"lang={lang}"))
        assert tab.locator("html").get_attribute("lang") == lang
        assert axe_violations(tab) == [], path
        assert not overflows(tab), path


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_colours_hold_in_the_dark(site: Any, rse_tab: Any, axe_violations: Any, scheme: str) -> None:
    tab = rse_tab(site, site.boss, color_scheme=scheme)
    for path in ("/rse/admin/?scope=entity&key=north&level=2", "/rse/admin/plugins/"):
        tab.goto(site.url(path))
        assert axe_violations(tab) == []


def test_the_cursor_is_moved_by_keyboard_and_its_effect_told_before(site: Any, rse_tab: Any) -> None:
    tab = rse_tab(site, site.boss, lang="en")
    tab.goto(site.url("/rse/admin/?scope=entity&key=north&lang=en"))
    slider = tab.get_by_role("slider", name="Level of interactivity")
    assert slider.get_attribute("aria-valuetext") == "react"
    slider.focus()
    tab.keyboard.press("ArrowUp")
    assert slider.get_attribute("aria-valuetext") == "comment"
    tab.get_by_text("3 people gain: Write talk.").wait_for()
    assert placed(site) == [], "nothing is placed before it is applied"
    tab.keyboard.press("End")
    assert slider.input_value() == "4", "the ceiling is a stop"
    assert "ceiling" in slider.get_attribute("aria-valuetext")
    tab.get_by_text("3 people gain: Begin a talk, Write talk.").wait_for()
    tab.get_by_label("Why").fill("Second wave")
    tab.get_by_role("button", name="Apply").click()
    tab.get_by_role("status").get_by_text("“collaborate” from now on").wait_for()
    assert placed(site) == [("level", "entity", 4, "Second wave")]
    assert tab.get_by_role("slider").get_attribute("aria-valuetext") == "collaborate"


def test_the_cursor_is_moved_by_mouse_onto_a_notch(site: Any, rse_tab: Any) -> None:
    tab = rse_tab(site, site.boss, lang="fr", width=320)
    tab.goto(site.url("/rse/admin/?scope=entity&key=north&lang=fr"))
    tab.locator('.rse-notch[data-level="3"] .rse-notch-name').click()
    tab.get_by_text("3 personnes gagnent").wait_for()
    thumb, row = tab.locator(".rse-range").bounding_box(), tab.locator('.rse-notch[data-level="3"]').bounding_box()
    centre = thumb["y"] + 14 + (thumb["height"] - 28) * 2 / 5
    assert abs(centre - (row["y"] + row["height"] / 2)) < 3, "the thumb stands on its notch"
    box = tab.locator(".rse-range").bounding_box()
    tab.mouse.move(box["x"] + 14, centre)
    tab.mouse.down()
    inform = tab.locator('.rse-notch[data-level="0"]').bounding_box()
    tab.mouse.move(box["x"] + 14, inform["y"] + inform["height"] / 2, steps=8)
    tab.mouse.up()
    assert tab.get_by_role("slider").input_value() == "0"
    tab.get_by_text("3 personnes perdent").wait_for()
    tab.get_by_role("button", name="Appliquer").click()
    tab.get_by_role("status").wait_for()
    assert [row[2] for row in placed(site)] == [0]


def test_without_javascript_six_radio_buttons_do_the_same_in_two_steps(
    site: Any, rse_tab: Any, axe_violations: Any
) -> None:
    tab = rse_tab(site, site.boss, lang="en", js=False)
    tab.goto(site.url("/rse/admin/?scope=entity&key=north&lang=en"))
    assert tab.get_by_role("slider").count() == 0
    assert tab.get_by_role("button", name="Apply").count() == 0, "not before the effect was shown"
    tab.get_by_role("radio", name="comment").check()
    tab.get_by_label("Why").fill("No script here")
    tab.get_by_role("button", name="See the effect").click()
    tab.get_by_text("3 people gain: Write talk.").wait_for()
    assert tab.get_by_role("radio", name="comment").is_checked()
    assert tab.get_by_role("radio", name="co-create").is_disabled(), "above the ceiling"
    assert placed(site) == []
    tab.get_by_role("button", name="Apply").click()
    tab.get_by_role("status").wait_for()
    assert placed(site) == [("level", "entity", 2, "No script here")]


def test_a_dated_level_stands_on_the_time_line(site: Any, rse_tab: Any, axe_violations: Any) -> None:
    tab = rse_tab(site, site.boss, lang="en")
    tab.goto(site.url("/rse/admin/?scope=entity&key=north&lang=en"))
    tab.get_by_label("From", exact=True).fill("2031-01-12")
    tab.locator('.rse-notch[data-level="2"] .rse-notch-name').click()
    tab.get_by_text("from 12 January 2031").wait_for()
    tab.get_by_role("button", name="Apply").click()
    tab.get_by_role("status").get_by_text("12 January 2031").wait_for()
    mark = tab.locator(".rse-marks li", has_text="12 Jan 2031")
    assert "to come" in mark.inner_text()
    assert axe_violations(tab) == []


def test_the_language_is_chosen_at_the_foot_and_stays(site: Any, rse_tab: Any) -> None:
    tab = rse_tab(site, site.boss, lang="fr")
    tab.goto(site.url("/rse/admin/"))
    tab.get_by_role("button", name="English").click()
    tab.get_by_role("heading", name="The whole site").wait_for()
    tab.goto(site.url("/rse/me/"))
    assert tab.get_by_role("radio", name="English").is_checked()


def test_a_plugin_is_switched_off_and_on_without_javascript(site: Any, rse_tab: Any) -> None:
    tab = rse_tab(site, site.boss, lang="en", js=False)
    tab.goto(site.url("/rse/admin/plugins/?lang=en"))
    article = tab.locator("#plugin-talk")
    article.get_by_text("Switch it somewhere").click()
    article.get_by_role("button", name="Switch off").click()
    tab.get_by_role("status").get_by_text("Nothing was deleted").wait_for()
    assert "off for the site" in tab.locator("#plugin-talk").inner_text()
    tab.locator("#plugin-talk").get_by_role("button", name="Switch on").first.click()
    tab.get_by_role("status").get_by_text("is switched on").wait_for()
