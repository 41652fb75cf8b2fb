"""Communities in a real browser: every page narrow and wide, French and English; opening one and joining it by keyboard."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from rse_communities import bulk, creating, feeding, framing, inviting, joining, members, plugin
from rse_core import roles
from rse_core.api import Actor
from rse_core.models.organisation import Space, SpaceMember
from rse_core.testing.browser import LANGUAGES, WIDTHS, overflows
from rse_core.testing.organisation import make_group, make_person, set_level

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HERE = "/rse/communities/"
SHEET = {"posts": "members", "likes": "all", "comments": "all", "moderates": "after", "purpose": "Des ruches sur le toit"}
WORDS = {
    "fr": ("Ouvrir une communauté", "Nom", "La préparer", "Rejoindre", "Quitter cet espace"),
    "en": ("Open a community", "Name", "Prepare it", "Join", "Leave this space"),
}


@pytest.fixture
def site(rse_site, tmp_path):
    made = rse_site([plugin], data_dir=str(tmp_path))
    set_level(made.core, "cocreate")
    return made


@pytest.fixture
def olga(site):
    return make_person(site.core, "olga", name="Olga Œuvrard-Lefèvre")


def make(site, owner, name="Apiculture du siège", **values):
    with site.core.db.write() as session:
        key = creating.create(session, owner.id, name=name, kind="community", visibility="listed").key
        framing.save(session, owner.id, key, {**SHEET, "contact": owner.username})
        framing.open_space(session, owner.id, key)
        if values:
            creating.change(session, owner.id, key, **values)
    return key


def test_every_page_is_clean_and_fits(site, rse_tab, axe_violations, olga):
    """One site for all widths and languages: what is looked at does not change by looking."""
    ben, cara = (make_person(site.core, name, name=f"{name.title()} Dubois-Fontaine") for name in ("ben", "cara"))
    make_group(site.core, "gardeners", members=[ben])
    key = make(site, olga, join_policy="request", description="**Bonjour** à tous", rules="- une règle")
    make(site, ben, "Une communauté dont le nom est vraiment très long pour une petite carte", join_policy="free")
    with site.core.db.write() as session:
        roles.grant(session, olga.id, "site_admin", actor=Actor("cli"))
        members.add(session, olga.id, key, "ben")
        joining.ask(session, cara.id, key, "S’il vous plaît")
        inviting.invite(session, olga.id, key, "cara", message="Venez")
        feeding.add(session, olga.id, key, "group", "gardeners")
        batch = bulk.send(session, olga.id, key, "add", [[1, "nobody", ""]]).id
    paths = [
        "", "-/new", "-/administration", f"{key}/", f"{key}/members", f"{key}/invitations", f"{key}/manage/",
        f"{key}/manage/sheet", f"{key}/manage/rights", f"{key}/manage/plugins", f"{key}/manage/figures",
        f"{key}/manage/visibility", f"{key}/manage/visibility?visibility=public", f"{key}/manage/end",
        f"{key}/manage/requests", f"{key}/manage/people", f"{key}/manage/groups", f"{key}/manage/lists/{batch}",
    ]  # fmt: skip
    wrong = []
    for lang in LANGUAGES:
        for width in WIDTHS:
            for person, some in ((olga, paths), (cara, ["", f"{key}/", "-/invitations"])):
                tab = rse_tab(site, person, lang=lang, width=width)
                for path in some:
                    tab.goto(site.url(HERE + path))
                    tab.get_by_role("heading", level=1).wait_for()
                    found = axe_violations(tab)
                    if found or overflows(tab):
                        wrong.append((lang, width, person.username, path, found))
    assert wrong == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_one_is_opened_with_the_keyboard_alone(site, rse_tab, olga, lang):
    title, name, prepare, _join, _leave = WORDS[lang]
    tab = rse_tab(site, olga, lang=lang)
    tab.goto(site.url(HERE))
    tab.get_by_role("link", name=title).focus()
    tab.keyboard.press("Enter")
    tab.get_by_label(name, exact=True).focus()
    tab.keyboard.type("Apiculture")
    for _ in range(12):
        tab.keyboard.press("Tab")
        if tab.evaluate("() => document.activeElement.textContent.trim()") == prepare:
            break
    tab.keyboard.press("Enter")
    tab.get_by_role("heading", level=1, name="Apiculture").wait_for()
    with site.core.db.read() as session:
        assert session.scalars(select(Space.name)).all() == ["Apiculture"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_free_one_is_joined_and_left(site, rse_tab, olga, lang, width):
    *_rest, join, leave = WORDS[lang]
    key = make(site, olga, join_policy="free")
    ben = make_person(site.core, "ben", name="Ben")
    tab = rse_tab(site, ben, lang=lang, width=width)
    tab.goto(site.url(f"{HERE}{key}/"))
    tab.get_by_role("button", name=join).click()
    tab.get_by_role("button", name=leave).wait_for()
    tab.get_by_role("status").first.wait_for()
    with site.core.db.read() as session:
        assert session.scalar(select(SpaceMember.role).where(SpaceMember.person_id == ben.id)) == "member"
    tab.get_by_role("button", name=leave).click()
    tab.get_by_role("heading", level=2).first.wait_for()
    with site.core.db.read() as session:
        assert session.scalar(select(SpaceMember.role).where(SpaceMember.person_id == ben.id)) is None
