"""“Why can't they?”: the whole trail of a decision on a page, for those who administer the person asked about."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from rse_core import roles, why
from rse_core.api import Actor, Capability, Level, Manifest, NotFound, ObjectRef, Plugin, hookimpl
from rse_core.audiences import of_space
from rse_core.content import ContentInfo
from rse_core.contributions import ContentType
from rse_core.delegation import rights_of
from rse_core.extension import create_app
from rse_core.i18n import use_locale
from rse_core.policy import explain


class Talk(Plugin):
    """One capability, and objects that stand in a secret space (``talk.note:1``) or for everyone (``talk.note:2``)."""

    manifest = Manifest("talk", "Talk")
    secret: int | None = None
    open: int | None = None

    @hookimpl
    def rse_capabilities(self) -> list[Capability]:
        return [Capability("talk.write", "Write talk", Level.COMMENT)]

    @hookimpl
    def rse_content_types(self) -> list[ContentType]:
        def resolve(_session: Any, ids: Any) -> dict[str, ContentInfo]:
            stands = {"1": self.secret, "2": self.open}
            return {i: ContentInfo(ObjectRef("talk.note", i), "Note", "/note", stands[i]) for i in ids if i in stands}

        return [ContentType("talk.note", "Note", resolve)]


@pytest.fixture
def talk() -> Talk:
    return Talk()


@pytest.fixture
def app(use_plugin: Any, talk: Talk) -> Flask:
    core = use_plugin(talk)
    made = create_app(core)
    made.core = core  # type: ignore[attr-defined]
    return made


@pytest.fixture
def core(app: Flask) -> Any:
    return app.core  # type: ignore[attr-defined]


@pytest.fixture
def world(core: Any, talk: Talk, make_entity: Any, make_person: Any, make_space: Any, set_level: Any) -> dict[str, Any]:
    top = make_entity("top", name="Assurance publique")
    north = make_entity("north", name="Nord", parent=top)
    south = make_entity("south", name="Sud", parent=top)
    boss = make_person("boss", entity=top)
    chief = make_person("chief", entity=north)
    clerk = make_person("clerk", name="Éloïse Kerbrat", entity=north)
    other = make_person("other", name="Élodie Sud", entity=south)
    set_level(Level.REACT, entity=north, why="Pilote")
    space = make_space("hidden", visibility="secret", members=[clerk])
    with core.db.write() as session:
        roles.grant(session, boss.id, "site_admin", actor=Actor("test"))
        roles.grant(session, chief.id, "entity_admin", scope="entity", scope_id=north.id, actor=Actor("test"))
        talk.secret = of_space(session, space.id)
        talk.open = core.policy.everyone()
    return {"boss": boss, "chief": chief, "clerk": clerk, "other": other}


def test_the_page_shows_the_sentence_and_every_rule(app: Flask, core: Any, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["boss"])
    page = client.get("/rse/admin/why/?person=clerk&capability=talk.write&lang=en")
    assert page.status_code == 200
    assert "Éloïse Kerbrat may not do this" in page.text
    assert "Pilote" in page.text, "the row that grants the level, with its reason"
    with core.db.read() as session, use_locale("en"):
        decision = explain(session, world["clerk"].id, "talk.write")
        assert str(decision.message) in page.text
    for step in decision.trail:
        assert f"<code>{step.rule}</code>" in page.text


def test_an_address_or_a_reference_names_the_object(app: Flask, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["boss"])
    base = "/rse/admin/why/?person=clerk&capability=talk.write&lang=en&on="
    assert "<code>page:/news/12</code>" in client.get(base + "/news/12").text
    assert "space:hidden" in client.get(base + "talk.note:1").text
    refused = client.get(base + "nonsense")
    assert (refused.status_code, 'role="alert"' in refused.text) == (422, True)


def test_an_administrator_of_an_entity_asks_about_its_people_only(app: Flask, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["chief"])
    assert client.get("/rse/admin/why/?person=clerk&capability=talk.write").status_code == 200
    foreign = client.get("/rse/admin/why/?person=other&capability=talk.write&lang=en")
    nobody = client.get("/rse/admin/why/?person=ghost&capability=talk.write&lang=en")
    assert (foreign.status_code, nobody.status_code) == (404, 404)
    assert foreign.text.replace("other", "ghost") == nobody.text.replace("other", "ghost")
    assert as_person(client, world["clerk"]).get("/rse/admin/why/").status_code == 403


def test_what_the_asker_cannot_see_is_not_told_of(core: Any, world: Any) -> None:
    with core.db.read() as session, use_locale("en"):
        chief, boss = rights_of(session, world["chief"].id), rights_of(session, world["boss"].id)
        hidden, nothing = ObjectRef("talk.note", "1"), ObjectRef("talk.note", "9")
        for ref in (hidden, nothing):
            with pytest.raises(NotFound, match="no such object"):
                why.ask(session, chief, "clerk", "talk.write", ref)
        assert why.ask(session, chief, "clerk", "talk.write", ObjectRef("talk.note", "2")).decision.trail
        found = why.ask(session, boss, "clerk", "talk.write", hidden).decision
        assert next(step for step in found.trail if step.rule == "object").detail["audience"] == "space:hidden"
        with pytest.raises(NotFound, match="no capability"):
            why.ask(session, boss, "clerk", "talk.nothing")


def test_a_name_is_completed_with_the_people_one_administers(app: Flask, world: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), world["chief"])
    page = client.get("/rse/admin/why/?person=elo&lang=en").text
    assert "Éloïse Kerbrat" in page
    assert "Élodie Sud" not in page
    page = as_person(client, world["boss"]).get("/rse/admin/why/?person=elo&lang=en").text
    assert "Élodie Sud" in page
    assert "Nobody whom you administer" in client.get("/rse/admin/why/?person=zzz&lang=en").text
