"""Moderation in a real browser, by keyboard, in both languages: written, held, refused with a reason, edited, approved,
told; the charter at the first comment; a report; and every page narrow and wide.
"""

from __future__ import annotations

import pytest
from sqlalchemy import select

import rse_comments
import rse_feed
import rse_governance
from rse_comments import service as comments
from rse_comments.models import Comment
from rse_core import charter, moderation, roles
from rse_core.api import Actor, ObjectRef
from rse_core.testing.browser import LANGUAGES, WIDTHS, overflows
from rse_core.testing.organisation import make_entity, make_person, set_level
from rse_feed import drafting
from rse_feed.models import Post
from rse_feed.texts import Written
from rse_governance import appeals, bin, cases, casework, charters, queue, suspending, tools, wording

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HERE = "/rse/moderation/"
PATH = "/news/1"
PAGE = ObjectRef("page", PATH)
ACTOR = Actor("cli")
TEXT = "## Règles\n\nSoyez aimables.\n\n- [ ] Je reste aimable.\n\nGardez les secrets.\n\n- [ ] Je garde les secrets.\n"
WORDS = {
    "fr": {
        "new": "Quoi de neuf ?", "publish": "Publier", "waits": "attend", "refuse": "Refuser", "why": "Motif, montré",
        "refused": "1 texte refusé.", "edit": "Modifier", "save": "Publier", "approved": "1 texte approuvé.",
        "keys": "Raccourcis clavier", "approve": "Approuver", "told": "Votre texte est publié", "not": "n’est pas parue",
        "yours": "Votre commentaire", "send": "Commenter", "report": "Signaler", "thanks": "La modération l’examine",
        "hurts": "Cela blesse ou attaque quelqu’un",
    },
    "en": {
        "new": "What is new?", "publish": "Publish", "waits": "waits", "refuse": "Refuse", "why": "Reason, shown",
        "refused": "1 text refused.", "edit": "Edit", "save": "Publish", "approved": "1 text approved.",
        "keys": "Keyboard shortcuts", "approve": "Approve", "told": "What you wrote is published",
        "not": "was not published",
        "yours": "Your comment", "send": "Comment", "report": "Report", "thanks": "The moderators look at it",
        "hurts": "It hurts or attacks somebody",
    },
}  # fmt: skip


@pytest.fixture
def site(rse_site, tmp_path):
    made = rse_site([rse_comments.plugin, rse_feed.plugin, rse_governance.plugin], fragments=True, data_dir=str(tmp_path))
    set_level(made.core, "contribute")
    return made


@pytest.fixture
def anna(site):
    return make_person(site.core, "anna", name="Anna Sérès")


@pytest.fixture
def mo(site):
    person = make_person(site.core, "mo", name="Mo Œuvrard-Lefèvre")
    with site.core.db.write() as session:
        roles.grant(session, person.id, "site_admin", actor=ACTOR)
    return person


def review(site, on=True):
    with site.core.db.write() as session:
        moderation.review(session, "site", 0, on, actor=ACTOR, subject="site")


def settle(site):
    while site.core.jobs.run_due():
        pass


def press_to(tab, name, *, most=60):
    """Tab until the element of this name has the focus, then press Enter."""
    for _ in range(most):
        tab.keyboard.press("Tab")
        if tab.evaluate("() => (document.activeElement.textContent || '').trim()") == name:
            tab.keyboard.press("Enter")
            return
    raise AssertionError(f"“{name}” is not reached by the Tab key")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_whole_round_by_keyboard(site, rse_tab, anna, mo, lang):
    words = WORDS[lang]
    review(site)
    author = rse_tab(site, anna, lang=lang)
    author.goto(site.url("/rse/feed/"))
    author.get_by_label(words["new"]).focus()
    author.keyboard.type("Une idée en l’air")
    press_to(author, words["publish"])
    author.get_by_text(words["waits"]).first.wait_for()
    settle(site)

    moderator = rse_tab(site, mo, lang=lang)
    moderator.goto(site.url(HERE))
    moderator.get_by_role("heading", name="Anna Sérès").wait_for()
    moderator.keyboard.press("?")
    moderator.get_by_role("dialog", name=words["keys"]).get_by_text(words["approve"]).first.wait_for()
    moderator.keyboard.press("Escape")
    moderator.keyboard.press("j")
    moderator.keyboard.press("r")
    assert moderator.evaluate("() => document.activeElement.name") == "reason"
    moderator.keyboard.type("Dites de quoi il s’agit.")
    press_to(moderator, words["refuse"])
    moderator.get_by_text(words["refused"]).first.wait_for()
    settle(site)

    author.goto(site.url(HERE + "mine"))
    author.get_by_text("Dites de quoi il s’agit.").first.wait_for()
    author.goto(site.url("/rse/me/"))
    author.get_by_text(words["not"]).first.wait_for()
    with site.core.db.read() as session:
        number = session.scalars(select(Post.id)).one()
    author.goto(site.url(f"/rse/feed/posts/{number}/edit"))
    author.locator("#rse-body").focus()
    author.keyboard.press("Control+A")
    author.keyboard.type("Une idée pour l’accueil du public")
    press_to(author, words["save"])
    author.get_by_text(words["waits"]).first.wait_for()
    settle(site)

    moderator.goto(site.url(HERE))
    moderator.get_by_text("Une idée pour l’accueil du public").first.wait_for()
    moderator.keyboard.press("j")
    moderator.keyboard.press("a")
    moderator.get_by_text(words["approved"]).first.wait_for()
    settle(site)

    author.goto(site.url("/rse/me/"))
    author.get_by_text(words["told"]).first.wait_for()
    with site.core.db.read() as session:
        assert session.scalars(select(Post.state)).all() == ["published"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("js", [True, False])
def test_the_charter_is_accepted_within_the_first_comment_and_nothing_is_lost(
    site, rse_tab, axe_violations, anna, mo, lang, js
):
    words = WORDS[lang]
    with site.core.db.write() as session:
        charter.publish(session, title="Charte", body=TEXT, actor=ACTOR)
    tab = rse_tab(site, anna, lang=lang, js=js, width=320)
    tab.goto(site.url(PATH))
    tab.get_by_label(words["yours"]).wait_for()
    if js:
        assert axe_violations(tab) == []
    assert not overflows(tab) if js else True
    tab.get_by_label(words["yours"]).focus()
    tab.keyboard.type("Mon premier mot")
    for _ in range(12):
        tab.keyboard.press("Tab")
        if tab.get_by_label("Je reste aimable.").evaluate("box => box.getRootNode().activeElement === box"):
            tab.keyboard.press("Space")
        if tab.get_by_label("Je garde les secrets.").evaluate("box => box.getRootNode().activeElement === box"):
            tab.keyboard.press("Space")
            break
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.get_by_text("Mon premier mot").first.wait_for()
    with site.core.db.read() as session:
        assert [(row.body, row.state) for row in session.scalars(select(Comment))] == [("Mon premier mot", "published")]
        assert charter.missing(session, anna.id) == []
    tab.goto(site.url(PATH))
    tab.get_by_label(words["yours"]).wait_for()
    assert tab.get_by_label("Je reste aimable.").count() == 0


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_comment_is_reported_from_the_intranets_page(site, rse_tab, anna, mo, lang):
    words = WORDS[lang]
    with site.core.db.write() as session:
        comments.write(session, anna.id, PAGE, "Une insulte")
    ben = make_person(site.core, "ben", name="Ben")
    tab = rse_tab(site, ben, lang=lang, width=320)
    tab.goto(site.url(PATH))
    tab.get_by_role("link", name=words["report"]).click()
    tab.get_by_role("heading", level=1, name=words["report"]).wait_for()
    tab.get_by_label(words["hurts"]).check()
    tab.get_by_role("button", name=words["report"]).click()
    tab.get_by_text(words["thanks"]).first.wait_for()
    with site.core.db.read() as session:
        assert casework.page(session, mo.id).lines[0].text == "Une insulte"


def fill(site, anna, mo):
    """Something on every page of moderation."""
    core = site.core
    north = make_entity(core, "north", name="Agence du Nord-Pas-de-Calais et de la Picardie")
    cara = make_person(core, "cara", name="Cara Dubois-Fontaine", entity=north)
    with core.db.write() as session:
        first = charters.publish(session, mo.id, title="Charte d’utilisation", body=TEXT)
        second = charters.publish(session, mo.id, title="Charte d’utilisation", body=TEXT + "\nMerci.")
        charters.publish(session, mo.id, title="Charte rédactionnelle", body="Soyez brefs.", kind="editorial")
        tools.save(session, mo.id, use="Demander à tout le monde", tool="Le fil", address="/rse/feed/", note="public")
        rule = wording.add(session, mo.id, where="site", act="hold", words="secret\nprojet oméga")
    with core.db.write() as session:
        for person in (anna, cara, mo):
            charter.accept(session, person.id, second.id)
    with core.db.write() as session:
        address = "https://exemple.fr/une-adresse-vraiment-tres-longue-et-sans-espace-du-tout"
        for text in (f"Un secret de {address}", "Projet Oméga"):
            comments.write(session, anna.id, PAGE, text)
        posts = [
            drafting.write(session, anna.id, Written(body=text, audience="everyone")).post.id
            for text in ("Insulte", "À recours", "Déjà jugé", "À supprimer")
        ]
    with core.db.write() as session:
        for number in posts[:3]:
            cases.report(
                session, cara.id, ObjectRef("feed.post", str(number)), kind="other", text="Cela blesse une collègue."
            )
        lines = casework.page(session, mo.id).lines
        for line in lines[1:]:
            cases.decide(session, mo.id, line.row.id, hide=True, reason="Une insulte.")
        appeals.appeal(session, anna.id, lines[1].row.id, "C’était une citation.")
        from rse_feed import publishing

        publishing.delete(session, anna.id, posts[3])
        suspending.suspend(session, mo.id, "cara", days=3, reason="Des insultes répétées.")
        assert bin.page(session, mo.id)[0]
        held = queue.page(session, mo.id).lines[0].row.id
    return [
        "", "?state=refused", f"held/{held}", "reports", "reports?state=appealed", "reports?state=decided", "bin", "words",
        f"words/{rule.id}", "charters", "charters?kind=editorial", f"charters/{second.id}",
        f"charters/compare?from={first.id}&to={second.id}", f"charters/{second.id}/accepted", f"charters/{second.id}/rates",
        "suspensions", "log", "tools", "processing", "mine", "data",
    ], ["mine", f"report?ref=feed.post:{posts[0]}"], posts[0]  # fmt: skip


def test_every_page_is_clean_and_fits(site, rse_tab, axe_violations, anna, mo):
    of_moderators, of_people, post = fill(site, anna, mo)
    cara = make_person(site.core, "dora", name="Dora")
    wrong = []
    for lang in LANGUAGES:
        for width in WIDTHS:
            for person, paths in ((mo, of_moderators), (anna, of_people[:1]), (cara, of_people[1:])):
                tab = rse_tab(site, person, lang=lang, width=width)
                for path in paths:
                    tab.goto(site.url(HERE + path))
                    tab.get_by_role("heading", level=1).wait_for()
                    found = axe_violations(tab)
                    if found or overflows(tab):
                        wrong.append((lang, width, person.username, path, found))
            tab = rse_tab(site, cara, lang=lang, width=width)
            for path in ("/rse/feed/", f"/rse/feed/posts/{post}", "/rse/charter/", "/rse/feed/compose"):
                tab.goto(site.url(path))
                found = axe_violations(tab)
                if found or overflows(tab):
                    wrong.append((lang, width, "dora", path, found))
    assert wrong == [], "\n".join(str(one)[:700] for one in wrong)
