"""The pages for everybody: what is open to me, my preferences and notifications, the charter."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from flask import Flask

from rse_core import charter, notify, roles
from rse_core.api import (
    Actor,
    Capability,
    ContentInfo,
    ContentType,
    Level,
    Manifest,
    NavItem,
    NotificationType,
    ObjectRef,
    Plugin,
    hookimpl,
)
from rse_core.db import utcnow
from rse_core.extension import create_app
from rse_core.models.runtime import NotificationRow


class Talk(Plugin):
    """Two capabilities, a page in the navigation, one kind of object and of notification."""

    manifest = Manifest("talk", "Talk")
    audience: int | None = None

    @hookimpl
    def rse_capabilities(self) -> list[Capability]:
        return [
            Capability("talk.react", "React to talk", Level.REACT),
            Capability("talk.write", "Write talk", Level.COMMENT),
        ]

    @hookimpl
    def rse_blueprints(self) -> list[Any]:
        from flask import Blueprint

        pages = Blueprint("rse_talk", __name__, url_prefix="/talk")
        pages.add_url_rule("/", "home", lambda: "talk")
        return [pages]

    @hookimpl
    def rse_nav_items(self) -> list[NavItem]:
        return [
            NavItem("rse_talk.home", "Talks", capability="talk.write"),
            NavItem("rse_talk.home", "Desk", area="running", badge=lambda session, person_id: 120),
        ]

    @hookimpl
    def rse_content_types(self) -> list[ContentType]:
        return [ContentType("talk.topic", "topic", self.resolve)]

    def resolve(self, session: Any, ids: Any) -> dict[str, ContentInfo]:
        return {
            i: ContentInfo(ObjectRef("talk.topic", i), f"Topic {i}", f"/talk/{i}", self.audience) for i in ids if i != "9"
        }

    @hookimpl
    def rse_notification_types(self) -> list[NotificationType]:
        return [
            NotificationType("talk.answered", "Answers", lambda n, data: f"{n} answered {data['title']}: {data['actor']}"),
            NotificationType("talk.broken", "Broken", lambda n, data: str(1 / 0)),
        ]


@pytest.fixture
def plugin() -> Talk:
    return Talk()


@pytest.fixture
def core(use_plugin: Any, plugin: Talk) -> Any:
    return use_plugin(plugin)


@pytest.fixture
def app(core: Any) -> Flask:
    return create_app(core)


def fields_of(html: str) -> dict[str, str]:
    main = html.partition("<main")[2].partition("</main>")[0]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', main))


def test_home_says_what_is_open_now_and_what_opens_later(
    app: Flask, make_entity: Any, make_person: Any, set_level: Any, as_person: Any
) -> None:
    north = make_entity("north")
    person = make_person("ada", entity=north, locale="en")
    set_level(Level.REACT, entity=north)
    set_level(Level.COMMENT, entity=north, starts_at=utcnow() + dt.timedelta(days=400))
    page = as_person(app.test_client(), person).get("/rse/").text
    now, _later, after = page.partition("Later")
    assert "React to talk" in now
    assert "Write talk" not in now
    assert "Write talk" in after
    assert "opens for your entity on" in after
    nobody = as_person(app.test_client(), None).get("/rse/?lang=en").text
    assert "React to talk" not in nobody
    assert "Sign in to the intranet" in nobody


def test_the_navigation_holds_only_what_one_may_use(app: Flask, make_person: Any, as_person: Any) -> None:
    reader, writer = make_person("reader", level=Level.REACT), make_person("writer", level=Level.COMMENT)
    assert "Talks" not in as_person(app.test_client(), reader).get("/rse/").text
    page = as_person(app.test_client(), writer).get("/rse/").text
    assert "Talks" in page
    assert "Administration" not in page


def test_what_runs_the_site_is_one_menu_with_the_administration(
    app: Flask, core: Any, make_person: Any, as_person: Any
) -> None:
    desk, boss = make_person("desk", level=Level.COMMENT, locale="en"), make_person("boss", locale="en")
    with core.db.write() as session:
        roles.grant(session, boss.id, "site_admin", actor=Actor("test"))
    page = as_person(app.test_client(), desk).get("/rse/").text
    assert "rse-nav-more" not in page
    assert re.search(r'<li><a href="[^"]*"[^>]*>Desk <span class="rse-count-badge">99\+</span></a></li>', page)
    page = as_person(app.test_client(), boss).get("/rse/").text
    menu = page.partition("rse-nav-more")[2].partition("</details>")[0]
    summary = menu.partition("</summary>")[0]
    assert "Administration" in summary
    assert "99+" in summary
    assert re.findall(r"<a [^>]*>(?:<svg.*?</svg>)?(\w+)", menu) == ["Desk", "Cursor", "Rollout"]


def test_the_charter_is_read_accepted_and_one_returns_to_where_one_was(
    app: Flask, core: Any, make_person: Any, as_person: Any
) -> None:
    person = make_person("ada", level=Level.COMMENT, locale="en")
    client = as_person(app.test_client(), person)
    assert client.get("/rse/charter/").status_code == 404
    with core.db.write() as session:
        body = "# Rules\n\nBe *kind*. <script>alert(1)</script> [x](javascript:alert(1))"
        published = charter.publish(session, title="Charter of use", body=body, actor=Actor("test"))
    assert "Charter of use" in client.get("/rse/").text
    assert client.get("/rse/api/v1/decisions?capability=talk.write").json["reason"] == "charter"
    page = client.get("/rse/charter/?return_to=/news/12").text
    assert "<em>kind</em>" in page
    assert "<h2>Rules</h2>" in page
    assert "<script>alert" not in page
    assert 'href="javascript' not in page
    fields = fields_of(page)
    assert fields["charter"] == str(published.id)
    done = client.post("/rse/charter/", data=fields)
    assert (done.status_code, done.headers["Location"]) == (303, "/news/12")
    assert client.get("/rse/api/v1/decisions?capability=talk.write").json["reason"] == "ok"
    assert "You accepted" in client.get("/rse/charter/").text
    with core.db.write() as session:
        charter.publish(session, title="Charter of use", body="Newer.", actor=Actor("test"))
    assert client.post("/rse/charter/", data={**fields, "charter": str(published.id)}).status_code == 303
    assert client.get("/rse/api/v1/decisions?capability=talk.write").json["reason"] == "charter"


def test_the_language_that_one_chooses_stays(app: Flask, make_person: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), make_person("ada", locale="fr"))
    page = client.get("/rse/me/").text
    assert '<html lang="fr">' in page
    form = {**fields_of(page), "lang": "en"}
    assert client.post("/rse/me/language", data=form).status_code == 303
    assert '<html lang="en">' in client.get("/rse/me/").text
    assert client.post("/rse/me/language", data={**form, "lang": "de"}).status_code == 422
    assert client.post("/rse/me/language", data={**form, "lang": ""}).status_code == 303
    assert '<html lang="fr">' in client.get("/rse/me/").text
    assert as_person(app.test_client(), None).get("/rse/me/").status_code == 401


def test_notifications_are_lines_with_an_address_and_are_marked_as_read(
    app: Flask, core: Any, plugin: Talk, make_person: Any, as_person: Any
) -> None:
    from rse_core import audiences

    ada, bob = make_person("ada", level=Level.COMMENT, locale="en"), make_person("bob", name="Bob Dupond")
    with core.db.write() as session:
        plugin.audience = audiences.everyone(session)
        for kind, topic in (("talk.answered", "1"), ("talk.answered", "9"), ("talk.broken", "2")):
            ref = ObjectRef("talk.topic", topic)
            notify.notify(session, ada.id, kind, ref, actor_id=bob.id, cause=f"{kind}:{topic}")
    client = as_person(app.test_client(), ada)
    page = client.get("/rse/me/").text
    assert '<a href="/talk/1">1 answered Topic 1: Bob Dupond</a>' in page
    assert "1 answered : Bob Dupond" in page, "its object is gone: a line without an address"
    assert client.post("/rse/me/notifications", data=fields_of(page)).status_code == 303
    with core.db.read() as session:
        assert all(row.read_at is not None for row in session.query(NotificationRow))


def test_a_notification_does_not_name_what_one_may_no_longer_see(
    app: Flask, core: Any, plugin: Talk, make_entity: Any, make_person: Any, as_person: Any
) -> None:
    from rse_core import audiences

    inside = make_entity("inside")
    ada, bob = make_person("ada", level=Level.COMMENT), make_person("bob")
    with core.db.write() as session:
        plugin.audience = audiences.of_entity(session, inside.id)
        ref = ObjectRef("talk.topic", "1")
        notify.notify(session, ada.id, "talk.answered", ref, actor_id=bob.id, cause="x")
    page = as_person(app.test_client(), ada).get("/rse/me/").text
    assert "Topic 1" not in page
    assert "/talk/1" not in page


def test_signing_out_ends_the_session(app: Flask, make_person: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), make_person("ada"))
    fields = fields_of(client.get("/rse/me/").text)
    assert client.post("/rse/sign-out", data=fields).status_code == 303
    assert client.post("/rse/me/notifications", data=fields).status_code == 403, "the old token is void"
