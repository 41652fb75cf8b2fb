"""The feed in a real browser: by keyboard, to its end, edited by two at once; narrow and wide, French and English."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from rse_core import audiences, roles
from rse_core.api import Actor, utcnow
from rse_core.testing.browser import LANGUAGES, WIDTHS, overflows
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level
from rse_feed import drafting, plugin, publishing
from rse_feed.models import Post
from rse_feed.texts import Written

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WORDS = {"fr": "Quoi de neuf ?", "en": "What is new?"}


@pytest.fixture
def site(rse_site, tmp_path):
    made = rse_site([plugin], data_dir=str(tmp_path))
    set_level(made.core, "contribute")
    return made


@pytest.fixture
def anna(site):
    return make_person(site.core, "anna", name="Anna Sérès")


@pytest.fixture
def ben(site):
    return make_person(site.core, "ben", name="Benoît Œuvrard")


def write(site, person, body, **values):
    with site.core.db.write() as session:
        return drafting.write(session, person.id, Written(**{"body": body, "audience": "everyone", **values})).post


def publish(site, person, body, *, minutes):
    """A post of some minutes ago, without the limit on how many one writes in a minute."""
    with site.core.db.write() as session:
        post = Post(author_id=person.id, audience_id=audiences.everyone(session), body=body, state="draft")
        post.published_at = utcnow() - dt.timedelta(minutes=minutes)
        session.add(post)
        session.flush()
        publishing.published(session, post)


def edit(site, person, post, body):
    with site.core.db.write() as session:
        drafting.edit(session, person.id, post.id, Written(body=body), version=post.version)


def bodies(site):
    with site.core.db.read() as session:
        return list(session.scalars(select(Post.body).order_by(Post.id)))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_of_the_feed_is_clean_and_fits(site, rse_tab, axe_violations, anna, ben, lang, width):
    north = make_entity(site.core, "north", name="Agence Nord")
    boss = make_person(site.core, "boss", name="Cara Dubois-Lefèvre", entity=north)
    with site.core.db.write() as session:
        roles.grant(session, boss.id, "site_admin", actor=Actor("cli"))
    space = make_space(site.core, "garden", name="Jardin partagé", visibility="public", members=[boss])
    link = {"url": "https://example.org/une-adresse-plutot-longue", "title": "Un titre", "description": "Et sa description"}
    post = write(site, boss, "## Un titre\n\n**Bonjour** @anna, voir #jardin\n\n- un\n- deux", title="Récolte", link=link)
    must = write(site, boss, "À lire", announcement=True, must_read=True, audience="entity:north")
    write(site, boss, "mot" * 60, audience=f"space:{space.key}")
    write(site, ben, "x " * 1500)
    draft = write(site, boss, "Brouillon", act="draft")
    edit(site, boss, post, "**Bonsoir** @anna, voir #jardin")
    tab = rse_tab(site, boss, lang=lang, width=width)
    addresses = [
        "", "?kind=announcements", "?sort=active", f"posts/{post.id}", f"posts/{post.id}/edit", f"posts/{post.id}/history",
        f"posts/{post.id}/delete", "compose", "mine", f"posts/{draft.id}/edit", "spaces/garden",
        f"posts/{post.id}/move", f"posts/{post.id}/move?audience=entity:north", f"posts/{must.id}/acknowledgements",
        f"posts/{must.id}/acknowledgements?entity=north", "to-read", "to-read?done=1", "subscriptions",
    ]  # fmt: skip
    for address in addresses:
        tab.goto(site.url(f"/rse/feed/{address}"))
        tab.get_by_role("heading", level=1).wait_for()
        assert axe_violations(tab) == [], address
        assert not overflows(tab), address


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_post_is_written_with_the_keyboard_alone(site, rse_tab, anna, lang):
    tab = rse_tab(site, anna, lang=lang)
    tab.goto(site.url("/rse/feed/"))
    tab.keyboard.press("n")
    tab.keyboard.type("Deux places libres")
    tab.keyboard.press("Tab")
    for _ in range(4):
        if tab.evaluate("() => document.activeElement.value === 'publish'"):
            break
        tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    article = tab.get_by_role("article").filter(has_text="Deux places libres")
    article.wait_for()
    assert bodies(site) == ["Deux places libres"]
    assert tab.get_by_label(WORDS[lang]).input_value() == ""


def test_what_is_typed_comes_back_after_a_detour_and_is_gone_once_sent(site, rse_tab, anna):
    tab = rse_tab(site, anna, lang="en")
    tab.goto(site.url("/rse/feed/"))
    tab.get_by_label("What is new?").fill("Half a thought")
    tab.goto(site.url("/rse/feed/mine"))
    tab.goto(site.url("/rse/feed/"))
    field = tab.get_by_label("What is new?")
    tab.wait_for_function("() => document.querySelector('#rse-feed-body').value === 'Half a thought'")
    tab.get_by_role("button", name="Title, files, later…").click()
    tab.get_by_label("Title", exact=False).first.fill("A title")
    assert tab.get_by_label("What is new?").input_value() == "Half a thought"
    tab.get_by_role("button", name="Publish", exact=True).click()
    tab.get_by_role("heading", level=1, name="A title").wait_for()
    tab.goto(site.url("/rse/feed/"))
    assert field.input_value() == ""


def test_of_two_edits_the_later_is_told_and_keeps_its_text(site, rse_tab, anna):
    post = write(site, anna, "Premier état", title="Jardin")
    tab = rse_tab(site, anna, lang="en", width=320)
    tab.goto(site.url(f"/rse/feed/posts/{post.id}/edit"))
    tab.get_by_label("What is new?").fill("Mon texte à moi")
    edit(site, anna, post, "L’autre texte")
    tab.get_by_role("button", name="Save").click()
    tab.get_by_role("alert").wait_for()
    assert tab.get_by_label("What is new?").input_value() == "Mon texte à moi"
    assert tab.get_by_role("region", name="The post as it is now").inner_text().endswith("L’autre texte")
    tab.get_by_role("button", name="Save").click()
    tab.get_by_role("heading", level=1, name="Jardin").wait_for()
    assert bodies(site) == ["Mon texte à moi"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_list_goes_on_in_place_and_the_focus_goes_with_it(site, rse_tab, anna, lang):
    for number in range(23):
        publish(site, anna, f"Message {number}", minutes=60 - number)
    tab = rse_tab(site, anna, lang=lang)
    tab.goto(site.url("/rse/feed/"))
    assert tab.get_by_role("article").count() == 20
    more = tab.locator("a[data-rse-more]")
    more.focus()
    tab.keyboard.press("Enter")
    tab.wait_for_function("() => document.querySelectorAll('article').length === 23")
    more.wait_for(state="detached")
    assert tab.evaluate("() => document.activeElement.tagName") == "ARTICLE"
    assert tab.url.endswith("/rse/feed/")


def test_new_posts_are_offered_by_a_bar_and_move_nothing(site, rse_tab, anna, ben):
    write(site, anna, "Le premier")
    tab = rse_tab(site, ben, lang="en")
    tab.clock.install()
    tab.goto(site.url("/rse/feed/"))
    write(site, anna, "Le second")
    tab.clock.fast_forward(31_000)
    bar = tab.get_by_role("link", name="1 new post")
    bar.wait_for()
    assert tab.get_by_role("article").count() == 1
    bar.click()
    tab.get_by_role("article").filter(has_text="Le second").wait_for()
    assert tab.get_by_role("article").count() == 2


def test_without_javascript_everything_is_a_form_and_a_page(site, rse_tab, anna):
    tab = rse_tab(site, anna, lang="en", js=False)
    tab.goto(site.url("/rse/feed/"))
    tab.get_by_label("What is new?").fill("Sans script")
    tab.get_by_role("button", name="Publish", exact=True).click()
    tab.get_by_role("article").filter(has_text="Sans script").wait_for()
    tab.get_by_role("button", name="Most recently active").click()
    tab.locator("button[aria-pressed=true]", has_text="Most recently active").wait_for()
    tab.get_by_role("article").get_by_role("heading").get_by_role("link").click()
    tab.get_by_role("link", name="Edit").click()
    tab.get_by_label("What is new?").fill("Changé sans script")
    tab.get_by_role("button", name="Save").click()
    tab.get_by_text("Changé sans script").wait_for()
    tab.get_by_role("link", name="Delete").click()
    tab.get_by_role("button", name="Delete the post").click()
    tab.get_by_text("The post was deleted.").wait_for()
    assert tab.get_by_role("article").count() == 0
