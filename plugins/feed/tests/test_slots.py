"""The feed inside other pages, and the forms that lead out of them."""

from __future__ import annotations

import re

import pytest
from flask import g

from rse_core.api import ContentInfo, ContentType, Manifest, ObjectRef, Plugin, Viewer, hookimpl
from rse_core.audiences import of_space
from rse_core.extension import create_app
from rse_core.models.organisation import Space
from rse_core.people import card
from rse_core.testing import as_person, count_queries
from rse_core.testing.organisation import make_person, make_space, set_level
from rse_feed import drafting, plugin
from rse_feed.slots import items
from rse_feed.texts import Written

PAGE = ObjectRef("page", "/news/1")


class Spaces(Plugin):
    """Spaces as objects, as the plugin that has pages for them registers them."""

    manifest = Manifest(name="communities", label="Communities")

    @hookimpl
    def rse_content_types(self):
        def resolve(session, ids):
            found = {}
            for ident in ids:
                space = session.get(Space, int(ident))
                if space is not None:
                    found[ident] = ContentInfo(
                        ObjectRef("communities.space", ident), space.name, f"/rse/communities/{space.key}/",
                        of_space(session, space.id), space_id=space.id,
                    )  # fmt: skip
            return found

        return [ContentType("communities.space", "space", resolve)]


@pytest.fixture
def rse_plugins():
    return [plugin, Spaces()]


@pytest.fixture
def app(site):
    return create_app(site)


def write(core, person, audience="everyone", body="Bonjour", **values):
    with core.db.write() as session:
        return drafting.write(session, person.id, Written(body=body, audience=audience, **values)).post


def client_of(app, person):
    return as_person(app.test_client(), person)


def embedded(client, name, address="/news/1"):
    answer = client.get(f"/rse/embed/slots?address={address}&slots={name}", headers={"Accept-Language": "en"})
    return answer.json["slots"][name]["html"]


def test_the_personal_feed_stands_in_any_page_and_is_not_there_with_nothing_to_show(site, app, anna, ben):
    client = client_of(app, ben)
    assert embedded(client, "feed") == ""
    write(site, anna, title="Samedi au jardin")
    html = embedded(client, "feed")
    assert "Samedi au jardin" in html
    assert "/rse/feed/" in html
    quiet = make_person(site, "quiet", level="inform")
    assert embedded(client_of(app, quiet), "feed") == ""


def test_a_page_is_shared_by_who_may_post_and_the_form_has_it_as_a_link(site, app, anna):
    client = client_of(app, anna)
    html = embedded(client, "share")
    assert 'href="/rse/feed/compose?page=/news/1"' in html
    form = client.get("/rse/feed/compose?page=/news/1").text
    assert 'value="/news/1"' in form
    reader = make_person(site, "reader", level="react")
    assert embedded(client_of(app, reader), "share") == ""
    assert client.get("/rse/feed/compose?page=https://elsewhere.example/x").status_code == 404


def test_a_shared_page_is_shown_with_its_title_without_asking_it_for_anything(site, app, anna, ben):
    with site.db.write() as session:
        site.pages.ensure(session, PAGE)
    post = write(site, anna, link={"url": "/news/1", "title": "Nouveaux horaires", "page": "/news/1"}, body="À lire")
    html = client_of(app, ben).get(f"/rse/feed/posts/{post.id}").text
    assert "Nouveaux horaires" in html
    assert 'href="/news/1"' in html


def test_the_page_of_a_space_has_its_posts_and_a_form_for_who_may_post_there(site, app, anna, ben):
    space = make_space(site, "garden", visibility="public", members=[anna])
    write(site, anna, "space:garden", title="Récolte")
    write(site, anna, title="Ailleurs")
    ref = ObjectRef("communities.space", str(space.id))
    answer = client_of(app, anna).get("/rse/feed/spaces/garden").text
    assert "Récolte" in answer
    assert "Ailleurs" not in answer
    for person, may in ((anna, True), (ben, False)):
        with app.test_request_context("/rse/"), site.db.read() as session:
            g.rse_person, g.rse_identity = card(session, person.id), None
            (item,) = items("space", [ref], Viewer(person.id, "fr"), session)
        assert "Récolte" in item.html
        assert ('name="body"' in item.html) is may
        assert ('value="space:garden"' in item.html) is may


def test_a_secret_space_shows_nothing_to_others(site, app, anna, ben):
    make_space(site, "secret", visibility="secret", members=[anna])
    write(site, anna, "space:secret", title="Entre nous")
    client = client_of(app, ben)
    secret, none = client.get("/rse/feed/spaces/secret"), client.get("/rse/feed/spaces/nowhere")
    assert (secret.status_code, none.status_code) == (404, 404)
    assert secret.text.replace("secret", "") == none.text.replace("nowhere", "")


def test_the_slot_costs_the_same_for_one_post_as_for_many(site, app, anna):
    client = client_of(app, anna)
    write(site, anna)

    def cost():
        embedded(client, "feed")
        with count_queries(site) as queries:
            embedded(client, "feed")
        return len(queries)

    one = cost()
    for number in range(8):
        write(site, anna, title=str(number))
    assert cost() == one


def test_a_short_form_opens_the_whole_one_with_what_was_typed(site, app, anna):
    client = client_of(app, anna)
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/rse/feed/").text)[1]
    sent = {"csrf_token": token, "body": "Déjà tapé", "audience": "everyone", "form": "short"}
    page = client.post("/rse/feed/compose/more", data=sent).text
    assert "Déjà tapé</textarea>" in page
    assert 'name="publish_at"' in page
    answer = client.post("/rse/feed/compose", data={**sent, "act": "publish", "return_to": "/rse/feed/?kind=posts"})
    assert answer.headers["Location"].endswith("/rse/feed/?kind=posts")
    set_level(site, "react")
    answer = client.post("/rse/feed/compose", data={**sent, "act": "publish"})
    assert answer.status_code == 403
    assert "Déjà tapé</textarea>" in answer.text
