"""The demo as a whole: seeded through the services, served, and moved by the cursor."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from rse_example_intranet import demo, demo_seed
from rse_example_intranet.demo_bar import SWITCH
from rse_example_intranet.demo_guard import Permit
from rse_example_intranet.demo_identity import DemoIdentity
from sqlalchemy import text
from werkzeug.test import Client
from werkzeug.wrappers import Response

from rse_core import levelsets, people
from rse_core.api import Actor, Level, ObjectRef, can, utcnow
from rse_core.runtime import Core

NO_BREAK = "\N{NO-BREAK SPACE}"
LOCAL = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8400"}
PAGE = "/actualites/2026/exposition-memoire"
RSE = Path(sys.executable).with_name("rse")


@pytest.fixture
def client(demo_core: Core, demo_permit: Permit) -> Client:
    return Client(demo.wrap(demo_core, DemoIdentity(demo_permit)), Response)


def _become(client: Client, username: str) -> None:
    answer = client.post(SWITCH, data={"account": username}, environ_overrides=LOCAL)
    assert answer.status_code == 303


def _slots(client: Client, username: str, page: str = PAGE, names: str = "reactions,comments") -> dict[str, str]:
    _become(client, username)
    query = {"address": page, "slots": names, "lang": "fr"}
    answer = client.get("/rse/embed/slots", query_string=query, environ_overrides=LOCAL)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.get_json()
    return {name: slot["html"] for name, slot in body["slots"].items()}


def _level(core: Core, username: str) -> Level:
    with core.db.read() as session:
        return core.policy.level_of(session, people.by_username(session, username).id)


def test_every_plugin_of_the_demo_has_started(demo_core: Core) -> None:
    states = demo_core.plugins.states
    for name in ("likes", "comments", "feed", "communities", "directory", "notifications", "search", "host", "demo"):
        assert states[name].status == "on", (name, states[name].reason)


def test_five_entities_stand_at_different_levels(demo_core: Core) -> None:
    assert {name: int(_level(demo_core, name)) for name in ("solene.kerbrat", "helene.dupont", "guenole.treguer")} == {
        "solene.kerbrat": 3,
        "helene.dupont": 2,
        "guenole.treguer": 1,
    }
    assert _level(demo_core, "awa.diallo") is Level.COMMENT, "the ceiling holds what the entity asked for"
    assert _level(demo_core, "chloe.bremond") is Level.INFORM
    assert _level(demo_core, "maelle.quintin") is Level.COMMENT, "the group of ambassadors lifts her"
    assert _level(demo_core, "remi.castaing") is Level.CONTRIBUTE, "a direction has the level of the head office"
    assert _level(demo_core, "naima.elamrani") is Level.COCREATE, "unless it has one of its own"
    assert _level(demo_core, "zoe.bourguignon") is Level.COLLABORATE


def test_the_dated_level_opens_by_itself(demo_core: Core) -> None:
    with demo_core.db.read() as session:
        chloe = people.by_username(session, "chloe.bremond").id
        later = utcnow() + demo_seed.COMING + demo_seed.COMING / 30
        assert not can(session, chloe, "likes.react").allowed
        assert can(session, chloe, "likes.react", at=later).allowed
        assert can(session, chloe, "likes.react").opens_at is not None


def test_reference_pages_are_capped(demo_core: Core) -> None:
    with demo_core.db.read() as session:
        helene = people.by_username(session, "helene.dupont").id
        assert demo_core.policy.level_of(session, helene, ObjectRef("page", "/organisation/siege")) is Level.REACT
        assert demo_core.policy.level_of(session, helene, ObjectRef("page", PAGE)) is Level.COMMENT


def test_people_see_what_their_level_opens(client: Client) -> None:
    comments = _slots(client, "helene.dupont")
    assert "<form" in comments["reactions"]
    assert "<textarea" in comments["comments"]
    assert "<form" in _slots(client, "guenole.treguer")["reactions"]
    assert "<textarea" not in _slots(client, "guenole.treguer")["comments"]
    assert not any(_slots(client, "chloe.bremond").values())


def test_whoever_was_not_shown_yet_what_has_opened_is_told(demo_core: Core, client: Client) -> None:
    def told(username: str) -> str:
        return _slots(client, username, names="top")["top"]

    assert "Vous pouvez désormais réagir et commenter." in told("maelle.quintin")
    assert told("helene.dupont") == told("chloe.bremond") == ""
    actor = Actor("test")
    with demo_core.db.write() as session:
        where = levelsets.locate(session, "entity", "HAUT-PLATEAU")
        levelsets.place(session, where, Level.REACT, actor=actor)
    try:
        assert "Vous pouvez désormais réagir." in told("chloe.bremond")
    finally:
        with demo_core.db.write() as session:
            levelsets.place(session, where, Level.INFORM, actor=actor)
    assert told("chloe.bremond") == ""


def test_moving_the_cursor_changes_the_pages(demo_core: Core, client: Client) -> None:
    assert not any(_slots(client, "chloe.bremond").values())
    actor = Actor("test")
    with demo_core.db.write() as session:
        where = levelsets.locate(session, "entity", "HAUT-PLATEAU")
        levelsets.place(session, where, Level.REACT, actor=actor)
    try:
        assert "<form" in _slots(client, "chloe.bremond")["reactions"]
    finally:
        with demo_core.db.write() as session:
            levelsets.place(session, where, Level.INFORM, actor=actor)
    assert not any(_slots(client, "chloe.bremond").values())


def test_the_talk_is_there_in_both_languages(client: Client) -> None:
    assert "guichet avec grille" in _slots(client, "helene.dupont")["comments"]
    assert "green-screen" in _slots(client, "emma.nguyen")["comments"]


def test_a_page_has_the_script_once_and_the_bar_once(client: Client) -> None:
    text_ = client.get(PAGE, environ_overrides={**LOCAL, "HTTP_ACCEPT": "text/html"}).text
    assert text_.count("/rse/embed.js") == 1
    assert text_.count("rse-demo-bar") == 1
    old = client.get("/archives/2003/passage-a-l-euro.html", environ_overrides=LOCAL)
    assert old.data.count(b"/rse/embed.js") == 1
    assert "main-d'œuvre".encode("iso-8859-15") in old.data


def test_slots_stand_under_articles_and_not_under_lists(client: Client) -> None:
    _become(client, "helene.dupont")

    def slots(path: str) -> int:
        answer = client.get(path, environ_overrides={**LOCAL, "HTTP_ACCEPT": "text/html"})
        return len(re.findall(rb'<rse-slot name="(?:reactions|comments)"', answer.data))

    for path in (PAGE, "/rh/conges", "/divers/plan-acces.html", "/archives/2003/passage-a-l-euro.html"):
        assert slots(path) == 2, path
    for path in ("/", "/actualites/", "/rh/", "/archives/", "/recherche?q=grille", "/plan-du-site", "/nulle-part"):
        assert slots(path) == 0, path


def test_an_article_is_one_object_by_permalink_and_by_id(client: Client) -> None:
    _become(client, "helene.dupont")
    for path in (PAGE, "/page?id=120", f"{PAGE}?utm_source=mail", f"{PAGE}/"):
        text_ = client.get(path, environ_overrides={**LOCAL, "HTTP_ACCEPT": "text/html"}).text
        assert "guichet avec grille" in text_, path


def test_the_administration_is_for_its_account_only(client: Client) -> None:
    _become(client, "helene.dupont")
    assert client.get("/rse/admin/", environ_overrides=LOCAL).status_code == 403
    _become(client, "solene.kerbrat")
    page = client.get("/rse/admin/", environ_overrides={**LOCAL, "HTTP_ACCEPT": "text/html"})
    assert page.status_code == 200
    assert page.text.count("rse-demo-bar") == 1


def test_the_bar_shows_the_present_levels(demo_core: Core, client: Client) -> None:
    _become(client, "helene.dupont")
    page = client.get("/", environ_overrides=LOCAL).text
    bar = page[page.index('<aside class="rse-demo-bar"') :]
    assert "Caisse de la C&#244;te-Blanche, niveau &#171;&#160;r&#233;agir&#160;&#187;" in bar
    assert "Caisse du Haut-Plateau, niveau &#171;&#160;informer&#160;&#187;" in bar


def test_a_second_start_adds_nothing(demo_core: Core, demo_permit: Permit) -> None:
    def totals() -> list[int]:
        tables = ("rse_core_person", "rse_core_level", "rse_likes_reaction", "rse_comments_comment")
        with demo_core.db.read() as session:
            return [session.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in tables]

    before = totals()
    assert all(before)
    with demo.running_core(demo_permit, "127.0.0.1", 8400):
        pass
    assert totals() == before


@pytest.mark.slow
def test_rse_demo_serves_on_a_free_port_and_stops_when_told(tmp_path: Path) -> None:
    # A variable that names a real database must not count for the demo.
    environ = {**os.environ, "RSE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/real", "LC_ALL": "C.UTF-8"}
    command = [str(RSE), "demo", "--port", "0", "--data-dir", str(tmp_path / "demo")]
    with subprocess.Popen(command, env=environ, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = next(found[0] for line in process.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+/", line)))
            printed = "".join(process.stdout.readline() for _ in range(14))
            assert "solene.kerbrat" in printed
            with urllib.request.urlopen(address, timeout=60) as answer:
                assert b"rse-demo-bar" in answer.read()
            with urllib.request.urlopen(address + "rse/healthz", timeout=60) as answer:
                assert answer.status == 200
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address, timeout=2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "127.0.0.1"),
        (["--data-dir", "{real}"], "demo.db"),
    ],
)
def test_rse_demo_refuses_what_is_not_the_demos_own(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "demo.db").write_bytes(b"somebody's file")
    filled = [argument.replace("{real}", str(tmp_path)) for argument in arguments]
    command = [str(RSE), "demo", "--port", "0", *filled]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "demo.db").read_bytes() == b"somebody's file"


def test_the_communities_have_their_members_and_each_person_sees_the_posts_for_them(demo_core: Core) -> None:
    from rse_feed import reading

    def titles(username: str) -> set[str]:
        with demo_core.db.read() as session:
            person = people.by_username(session, username)
            wanted = reading.wanted_of(session, person.id, sort="new")
            return {line.title.replace(NO_BREAK, " ") for line in reading.page(session, person.id, wanted).lines}

    newcomer, inside, informed = titles("zoe.bourguignon"), titles("chloe.bremond"), titles("benoit.lacaze")
    assert {"Paie de décembre", "Ordre du jour de la réunion du 14", "Contrastes : un outil en trois clics"} <= newcomer
    assert "Une question sur les accompagnants" not in newcomer, "that community is listed, and she is no member"
    assert "Une question sur les accompagnants" in inside, "its members are open to each other"
    assert "Ordre du jour de la réunion du 14" not in inside
    assert informed == set(), "an entity that is informed"
