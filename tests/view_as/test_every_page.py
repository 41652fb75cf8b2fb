"""As an onlooker every address that can be looked at is looked at: nothing changes, nothing of anybody's own is shown, and
what everybody of the entity sees is there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import MetaData, select

from rse_core import roles
from rse_core.api import Actor, Level
from rse_core.extension import create_app
from rse_core.testing import as_person
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level
from rse_feed import drafting
from rse_feed.models import Post
from rse_feed.texts import Written
from rse_kanban import boards

#: Of the addresses with parameters, those that every plugin shows most.
NAMED = (
    "directory/people/clerk", "directory/people/clerk/card.vcf", "directory/people/boss", "directory/?q=robin",
    "communities/qwhiddenspace/", "communities/qwopen/", "communities/qwopen/members", "search/?q=qwsecretz",
    "search/?q=Titre", "feed/spaces/qwopen", "feed/topics/pluie", "kanban/boards/1", "kanban/boards/2",
    "kanban/boards/2/state", "kanban/cards/1", "embed/fragment/comments?address=/news/12",
    "embed/fragment/navigation?address=/news/12", "notifications/go/1", "leavers/clerk", "indicators/connected/",
    "onboarding/tutorials/none", "api/v1/search?q=Titre", "api/v1/decisions?capability=feed.post",
)  # fmt: skip
VIEW = "/rse/admin/view-as"
OPEN = ("qwpublicz", "qwtownz", "qwopenz")
SECRET = ("qwsecretz", "qwdraftz", "qwsouthz", "qwboardz", "qwhiddenspace", "qwbellz")


def run(core: Any) -> None:
    while core.jobs.run_due():
        pass


@pytest.fixture
def site(core: Any) -> Any:
    top = make_entity(core, "top", name="Assurance publique")
    town = make_entity(core, "town", name="Ville", parent=top)
    south = make_entity(core, "south", name="Sud", parent=top)
    set_level(core, Level.COCREATE)
    boss = make_person(core, "boss", name="Solène Kerbrat", entity=top)
    clerk = make_person(core, "clerk", name="Robin Moreau", entity=town)
    far = make_person(core, "far", name="Camille Sud", entity=south)
    insider = make_person(core, "insider", name="Alix Dedans", entity=top)
    space = make_space(
        core, "qwhiddenspace", name="Cercle qwhiddenspace", visibility="secret", managers=[boss], members=[insider]
    )
    with core.db.write() as session:
        roles.grant(session, boss.id, "site_admin", actor=Actor("test"))
    run(core)

    def write(person: Any, word: str, audience: str, **values: Any) -> int:
        with core.db.write() as session:
            written = Written(f"Il pleut {word}", f"Titre {word}", audience, **values)
            return int(drafting.write(session, person.id, written).post.id)

    write(clerk, OPEN[0], "everyone")
    write(clerk, OPEN[1], "entity:town")
    write(far, "qwsouthz", "entity:south")
    write(boss, "qwsecretz", f"space:{space.key}")
    write(insider, "qwbellz @boss", f"space:{space.key}")
    write(boss, "qwdraftz", "everyone", act="draft")
    make_space(core, "qwopen", name="Cercle ouvert", visibility="public", managers=[clerk])
    write(clerk, "qwopenz #pluie", "space:qwopen")
    with core.db.write() as session:
        boards.create(session, boss.id, "me", "Tableau qwboardz")
        boards.create(session, clerk.id, "space:qwopen", "Tableau qwsharedz")
    core.boss = boss
    run(core)
    return core


def rows(core: Any) -> dict[str, list[str]]:
    """Every row of every table."""
    found = MetaData()
    found.reflect(core.db.engine)
    with core.db.engine.connect() as connection:
        return {
            name: sorted(repr(row) for row in connection.execute(select(table)))
            for name, table in found.tables.items()
        }  # fmt: skip


def token_of(client: Any, address: str = VIEW) -> str:
    return re.search(r'name="csrf_token" value="([0-9a-f]{64})"', client.get(address).text).group(1)  # type: ignore[union-attr]


def look(core: Any, level: int, entity: str = "town") -> Any:
    client = as_person(create_app(core).test_client(), core.boss)
    client.get("/rse/")
    form = {"csrf_token": token_of(client, f"{VIEW}?entity={entity}"), "entity": entity, "level": str(level)}
    assert client.post(VIEW, data=form).status_code == 303
    return client


def addresses(app: Any) -> list[str]:
    """Every address without parameters that is read by GET, and those whose parameters are known."""
    found = [
        "/rse" + rule.rule for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and not rule.arguments and not rule.rule.startswith("/static")
    ]  # fmt: skip
    known = (
        "/rse/embed/slots?address=/news/12&slots=navigation,bell,top,reactions,comments,comment_count,report,composer,feed",
        "/rse/embed/slots?address=/&slots=space,space-side,share",
    )
    return sorted({*found, *known})


@pytest.mark.parametrize("level", [Level.INFORM, Level.COMMENT, Level.COCREATE])
def test_nothing_changes_and_nothing_private_is_shown(site: Any, level: Level) -> None:
    client = look(site, int(level))
    before, wrong = rows(site), []
    for path in addresses(client.application):
        answer = client.get(path)
        if answer.status_code >= 500:
            wrong.append((path, answer.status_code))
        wrong += [(path, word) for word in SECRET if word in answer.text and VIEW not in path]
    after = rows(site)
    assert wrong == []
    changed = {name: set(after[name]) ^ set(before[name]) for name in after if after[name] != before[name]}
    assert changed == {}
    for post in posts(site):
        client.get(f"/rse/feed/posts/{post}")
        client.get(f"/rse/api/v1/feed/posts/{post}")
        client.get(f"/rse/feed/posts/{post}/history")
    for path in NAMED:
        answer = client.get(f"/rse/{path}")
        assert answer.status_code < 500, path
        assert [word for word in SECRET if word in answer.text and word not in path] == [], path
    assert rows(site) == before


def test_the_administrator_has_what_must_not_be_shown(site: Any) -> None:
    client = as_person(create_app(site).test_client(), site.boss)
    pages = "".join(client.get(f"/rse/{path}/").text for path in ("feed", "notifications", "kanban", "communities"))
    assert [word for word in ("qwsecretz", "qwbellz", "qwboardz", "qwhiddenspace") if word not in pages] == []


def test_what_everybody_of_the_entity_sees_is_there(site: Any) -> None:
    client = look(site, Level.COCREATE)
    feed = client.get("/rse/feed/?lang=en").text
    assert [word for word in OPEN if word not in feed] == []
    assert "qwsouthz" not in feed
    assert "/rse/feed/posts/" in client.get(f"/rse/search/?q={OPEN[0]}").text
    assert "qwsharedz" in client.get("/rse/kanban/").text
    assert "Cercle ouvert" in client.get("/rse/communities/").text
    assert client.get("/rse/feed/compose").status_code == 200, "the form, which nothing can be sent with"
    assert client.get("/rse/directory/people/clerk").status_code == 200
    refused = client.get("/rse/directory/me?lang=en")
    assert (refused.status_code, "nobody to show" in refused.text) == (403, True)
    assert "Robin Moreau" in client.get("/rse/directory/").text
    assert "Robin Moreau" in client.get("/rse/api/v1/directory/people").text
    assert client.get("/rse/api/v1/directory/suggest?q=rob").status_code == 200, "counted for nobody"


def posts(core: Any) -> list[int]:
    with core.db.read() as session:
        return list(session.scalars(select(Post.id)))
