"""The rollout's screens in a real browser: both languages, both widths; a plan applied by keyboard; the sheet on paper."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from rse_core import roles, rollout
from rse_core.api import Actor, Capability, Level, Manifest, Plugin, hookimpl
from rse_core.models.rollout import RolloutWave
from rse_core.testing.browser import LANGUAGES, WIDTHS, overflows
from rse_core.testing.organisation import make_entity, make_group, make_person

pytestmark = pytest.mark.browser
PLAN = """name = "généralisation"

[[wave]]
name = "pilote"
starts = 2026-03-01
level = "contribute"
entities = ["north"]
groups = ["ambassadors"]

[[wave]]
name = "vague 1"
starts = 2027-06-01
level = "comment"
entities = ["*"]
[wave.gate]
after = "pilote"
min_weeks = 24
engagement_rate = 0.17
"""


class Talk(Plugin):
    manifest = Manifest("talk", "Talk")

    @hookimpl
    def rse_capabilities(self) -> list[Capability]:
        return [Capability("talk.write", "Write talk", Level.COMMENT), Capability("talk.post", "Post", Level.CONTRIBUTE)]


@pytest.fixture
def site(rse_site: Any) -> Any:
    made = rse_site([Talk()])
    top = make_entity(made.core, "top", name="Assurance publique")
    north = make_entity(made.core, "north", name="Caisse régionale du Nord-Pas-de-Calais", parent=top)
    make_entity(made.core, "south", name="Sud", parent=top)
    made.boss = make_person(made.core, "boss", name="Solène Kerbrat", entity=top)
    make_person(made.core, "nina", entity=north)
    make_group(made.core, "ambassadors", members=[made.boss])
    with made.core.db.write() as session:
        roles.grant(session, made.boss.id, "site_admin", actor=Actor("test"))
    return made


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_accessible_and_fits(
    site: Any, rse_tab: Any, axe_violations: Any, lang: str, width: int
) -> None:
    tab = rse_tab(site, site.boss, lang=lang, width=width)
    tab.goto(site.url(f"/rse/admin/rollout/?lang={lang}"))
    assert axe_violations(tab) == []
    with site.core.db.write() as session:
        rollout.apply(session, site.core, PLAN, actor=Actor("boss"), why="Décidé en mars")
        wave = session.scalar(select(RolloutWave.id).where(RolloutWave.name == "vague 1"))
    plan = "plan=g%C3%A9n%C3%A9ralisation"
    for path in ("", f"edit?{plan}", f"wave?{plan}&wave=vague%201", f"wave?{plan}", f"{wave}/sheet"):
        tab.goto(site.url("/rse/admin/rollout/" + path + ("&" if "?" in path else "?") + f"lang={lang}"))
        assert tab.locator("html").get_attribute("lang") == lang
        assert axe_violations(tab) == [], path
        assert not overflows(tab), path


def test_a_plan_is_checked_previewed_and_applied_by_keyboard(site: Any, rse_tab: Any, axe_violations: Any) -> None:
    tab = rse_tab(site, site.boss, lang="en")
    tab.goto(site.url("/rse/admin/rollout/edit?lang=en"))
    tab.get_by_label("The plan, in TOML").fill(PLAN.replace("north", "nroth"))
    tab.get_by_role("button", name="Check").press("Enter")
    tab.get_by_text("line 7: There is no entity “nroth”. Did you mean “north”?").wait_for()
    assert axe_violations(tab) == []
    tab.get_by_label("The plan, in TOML").fill(PLAN)
    tab.get_by_role("button", name="See the effect").press("Enter")
    tab.get_by_role("row", name="Caisse régionale du Nord-Pas-de-Calais").wait_for()
    assert axe_violations(tab) == []
    with site.core.db.read() as session:
        assert session.scalar(select(RolloutWave.id)) is None, "nothing is applied before it is seen"
    tab.get_by_label("Why").fill("Decided")
    tab.get_by_role("button", name="Apply").press("Enter")
    tab.get_by_role("status").get_by_text("The plan was applied.").wait_for()
    tab.get_by_role("heading", name="pilote open").wait_for()


def test_the_sheet_is_printed_without_what_surrounds_it_and_with_room_to_sign(site: Any, rse_tab: Any) -> None:
    with site.core.db.write() as session:
        rollout.apply(session, site.core, PLAN, actor=Actor("boss"))
        wave = session.scalar(select(RolloutWave.id).where(RolloutWave.name == "vague 1"))
    tab = rse_tab(site, site.boss, lang="en")
    tab.goto(site.url(f"/rse/admin/rollout/{wave}/sheet?lang=en"))
    navigation, signing = tab.locator(".rse-admin-nav"), tab.get_by_text("Date and signature:")
    assert (navigation.is_visible(), signing.is_visible()) == (True, False)
    tab.emulate_media(media="print")
    assert (navigation.is_visible(), signing.is_visible()) == (False, True)
