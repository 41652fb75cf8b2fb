"""A post deleted by a moderator, in a real browser and both languages: why, the appeal by keyboard, and the other answer."""

from __future__ import annotations

import pytest

import rse_feed
import rse_governance
from rse_core import roles
from rse_core.api import Actor
from rse_core.testing.browser import LANGUAGES, overflows
from rse_core.testing.organisation import make_person, set_level
from rse_feed import drafting
from rse_feed.texts import Written

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WORDS = {
    "fr": {
        "delete": "Supprimer la publication", "reason": "Raison, montrée", "why": "Motif, montré",
        "deleted": "Retiré ou supprimé par la modération",
        "appeal": "Former un recours", "waits": "Votre recours attend une autre personne", "ask": "Pourquoi",
        "once": "Vous pouvez former un seul recours", "grant": "Afficher à nouveau", "shown": "Affiché à nouveau après",
        "heading": "Recours de la personne qui a écrit",
    },
    "en": {
        "delete": "Delete the post", "reason": "Reason, shown", "why": "Reason, shown",
        "deleted": "Taken down or deleted by a moderator",
        "appeal": "Appeal", "waits": "Your appeal waits for another moderator", "ask": "Why should it be shown again?",
        "once": "You may appeal once, until", "grant": "Show it again", "shown": "Shown again after your appeal.",
        "heading": "Appeal of the author",
    },
}  # fmt: skip


@pytest.fixture
def site(rse_site, tmp_path):
    made = rse_site([rse_feed.plugin, rse_governance.plugin], data_dir=str(tmp_path))
    set_level(made.core, "contribute")
    return made


def moderator(site, name):
    person = make_person(site.core, name, name=name.title())
    with site.core.db.write() as session:
        roles.grant(session, person.id, "moderator", actor=Actor("cli"))
    return person


def settle(site):
    while site.core.jobs.run_due():
        pass


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_deleted_post_is_explained_appealed_against_and_shown_again(site, rse_tab, axe_violations, lang):
    words = WORDS[lang]
    anna, ben = make_person(site.core, "anna"), make_person(site.core, "ben")
    mo, ada = moderator(site, "mo"), moderator(site, "ada")
    with site.core.db.write() as session:
        number = drafting.write(session, anna.id, Written(body="Une citation de Zola", audience="everyone")).post.id
    settle(site)
    tab = rse_tab(site, mo, lang=lang)
    tab.goto(site.url(f"/rse/feed/posts/{number}/delete"))
    tab.get_by_label(words["reason"]).fill("Une insulte.")
    tab.get_by_role("button", name=words["delete"]).click()
    tab.wait_for_url(lambda url: "/delete" not in url)
    settle(site)

    author = rse_tab(site, anna, lang=lang, width=320)
    author.goto(site.url("/rse/moderation/mine"))
    author.get_by_role("heading", name=words["deleted"]).wait_for()
    author.get_by_text("Une citation de Zola").first.wait_for()
    author.get_by_text("Une insulte.").first.wait_for()
    author.get_by_text(words["once"]).wait_for()
    assert axe_violations(author) == []
    assert not overflows(author)
    author.get_by_label(words["ask"]).focus()
    author.keyboard.type("Je citais Zola.")
    author.keyboard.press("Tab")
    author.keyboard.press("Enter")
    author.get_by_text(words["waits"]).first.wait_for()
    settle(site)

    other = rse_tab(site, ada, lang=lang)
    other.goto(site.url("/rse/moderation/reports?state=appealed"))
    other.get_by_role("heading", name=words["heading"]).wait_for()
    other.get_by_text("Je citais Zola.").first.wait_for()
    other.get_by_label(words["why"]).fill("C’est bien une citation.")
    other.get_by_role("button", name=words["grant"]).click()
    other.get_by_role("heading", name=words["heading"]).wait_for(state="detached")
    settle(site)

    author.goto(site.url("/rse/moderation/mine"))
    author.get_by_text(words["shown"]).wait_for()
    author.get_by_text("C’est bien une citation.").first.wait_for()
    reader = rse_tab(site, ben, lang=lang)
    reader.goto(site.url("/rse/feed/"))
    reader.get_by_text("Une citation de Zola").first.wait_for()
