"""What the demo has of communities and posts, of the intranet's news, of notifications and mails; and where it stands."""

from __future__ import annotations

import csv
import email
import email.policy
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from rse_example_intranet import demo, demo_seed, organisation
from rse_example_intranet.app import create_intranet
from rse_example_intranet.content import load_pages
from rse_example_intranet.demo_bar import SWITCH
from rse_example_intranet.demo_guard import Permit
from rse_example_intranet.demo_identity import DemoIdentity
from rse_example_intranet.demo_mail import MailFolder
from sqlalchemy import select
from werkzeug.test import Client
from werkzeug.wrappers import Response

from rse_core import legacy, notify, people
from rse_core.api import OutgoingMessage, utcnow
from rse_core.models.organisation import Space
from rse_core.runtime import Core

DATA = Path(organisation.__file__).parent / "data"
LOCAL = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8400", "HTTP_ACCEPT": "text/html"}
RSS = "/actualites.rss"


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def client(demo_core: Core, demo_permit: Permit) -> Client:
    return Client(demo.wrap(demo_core, DemoIdentity(demo_permit)), Response)


def _get(client: Client, username: str, path: str) -> str:
    assert client.post(SWITCH, data={"account": username}, environ_overrides=LOCAL).status_code == 303
    answer = client.get(path, environ_overrides=LOCAL)
    assert answer.status_code == 200, path
    return answer.data.decode("latin-1" if path.startswith("/archives/2") else "utf-8")


def test_posts_and_communities_name_people_and_places_that_exist_in_good_french() -> None:
    known = {row["username"] for row in _rows("people.csv")}
    english = {row["username"] for row in _rows("people.csv") if row["locale"] == "en"}
    entities = {row["entity_id"] for row in _rows("entities.csv")}
    spaces = {row["key"] for row in _rows("spaces.csv")}
    for row in _rows("spaces.csv"):
        assert {row["owner"], *row["members"].split()} <= known, row["key"]
    for row in _rows("posts.csv"):
        kind, _, key = row["audience"].partition(":")
        assert row["author"] in known
        assert kind == "everyone" or key in {"entity": entities, "space": spaces}[kind], row["title"]
        assert set(re.findall(r"@([\w.-]+\w)", row["text"])) <= known
    french = [value for row in _rows("posts.csv") if row["author"] not in english for value in (row["title"], row["text"])]
    french += [row[key] for row in _rows("spaces.csv") for key in ("name", "description")]
    assert [text for text in french if re.search(r"« | »| [;:!?]|'|!", text)] == []


def test_the_plain_intranet_publishes_its_news_for_feed_readers() -> None:
    answer = create_intranet().test_client().get(RSS, base_url="http://intranet.example")
    assert answer.content_type.startswith("application/rss+xml")
    items = ET.fromstring(answer.data).findall("channel/item")
    assert len(items) == 20
    assert items[0].findtext("link") == "http://intranet.example/actualites/2026/exposition-memoire"
    assert items[0].findtext("pubDate") == "Thu, 12 Nov 2026 09:00:00 +0000"
    assert items[0].findtext("{http://purl.org/dc/elements/1.1/}creator") == "Siège national"
    headers = {"If-None-Match": answer.headers["ETag"]}
    assert create_intranet().test_client().get(RSS, base_url="http://intranet.example", headers=headers).status_code == 304


@pytest.fixture
def served(seeded_permit: Permit) -> Iterator[Core]:
    """A demo of its own, whose intranet answers."""
    with demo.listening("127.0.0.1", 0) as server:
        server.app = create_intranet().wsgi_app
        with demo.serving(server), demo.running_core(seeded_permit, "127.0.0.1", server.port) as core:
            yield core


def test_the_news_of_the_intranet_enter_the_feed_by_their_rss(served: Core) -> None:
    from rse_feed import reading

    demo_seed.read_news(served)
    demo_seed.read_news(served)
    with served.db.read() as session:
        zoe = people.by_username(session, "zoe.bourguignon").id
        wanted = reading.wanted_of(session, zoe, sort="new", kind="intranet")
        lines = reading.page(session, zoe, wanted, most=30).lines
    news = sorted((page for page in load_pages() if page.section == "actualites"), key=lambda page: page.published)
    assert [line.title for line in lines] == [page.title for page in reversed(news)]
    assert {line.ref.id for line in lines} == {page.path for page in news}, "the very pages that people react to"
    assert {line.who for line in lines} == {page.publisher for page in news}


def test_a_demo_whose_intranet_does_not_answer_starts_without_its_news(seeded_permit: Permit) -> None:
    with demo.running_core(seeded_permit, "127.0.0.1", 1) as core:
        demo_seed.read_news(core)
        with core.db.read() as session:
            (source,) = legacy.statuses(core, session)
            assert source.error


def test_nothing_of_the_seed_lies_ahead_and_the_posts_are_spread_over_weeks(demo_core: Core) -> None:
    from rse_feed import reading

    with demo_core.db.read() as session:
        zoe = people.by_username(session, "zoe.bourguignon").id
        lines = reading.page(session, zoe, reading.wanted_of(session, zoe, sort="new"), most=30).lines
    ages = [(utcnow() - line.at).days for line in lines]
    assert ages == sorted(ages)
    assert ages[0] >= 0
    assert ages[-1] > 20
    assert len(set(ages)) > 8


def test_what_is_asked_for_again_and_again_is_pinned_in_its_community(client: Client, demo_core: Core) -> None:
    with demo_core.db.read() as session:
        key = session.scalars(select(Space.key).where(Space.name == "Accessibilité")).one()
    page = _get(client, "emma.nguyen", f"/rse/communities/{key}/")
    assert page.index("rse-feed-pinned") < page.index("Vidéo sous-titrée") < page.index("Screen readers and our letters")


def test_the_newcomer_has_something_unread_something_to_confirm_and_a_search_that_finds(
    client: Client, demo_core: Core
) -> None:
    with demo_core.db.read() as session:
        zoe = people.by_username(session, "zoe.bourguignon").id
        assert notify.unread(session, zoe) >= 3
    assert "Contrastes" in _get(client, "zoe.bourguignon", "/rse/search/?q=contraste")
    assert "La charte d’utilisation est en vigueur" in _get(client, "zoe.bourguignon", "/rse/feed/to-read")


def test_our_pages_stand_under_the_menu_for_those_who_may_use_them(client: Client) -> None:
    def names(username: str, path: str) -> list[str]:
        found = re.findall(r'<rse-slot name="(\w+)"', _get(client, username, path))
        return [name for name in found if name not in ("reactions", "comments")]

    assert names("zoe.bourguignon", "/") == ["navigation", "feed"]
    assert names("zoe.bourguignon", "/rh/conges") == ["navigation"]
    assert names("zoe.bourguignon", "/archives/2003/passage-a-l-euro.html") == [], "it has no menu"
    assert names("chloe.bremond", "/") == [], "an entity that is informed has its intranet as it was"
    home = _get(client, "zoe.bourguignon", "/")
    assert 'href="/rse/feed/"' in home
    assert 'href="/rse/communities/"' in home
    assert "Contrastes" in home


def test_a_mail_becomes_a_file_of_the_demos_folder_once(tmp_path: Path) -> None:
    folder = MailFolder(tmp_path / "mails")
    message = OutgoingMessage(
        "k1", 1, "zoe@intranet.example", "Zoé Bourguignon", "Une réponse", "Bonjour", "<p>Bonjour</p>", "fr",
        {"List-Unsubscribe": "<http://127.0.0.1/rse/x>"},
    )  # fmt: skip
    folder.keep(message)
    folder.keep(message)
    (file,) = folder.folder.iterdir()
    mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert (mail["Subject"], mail["To"]) == ("Une réponse", "Zoé Bourguignon <zoe@intranet.example>")
    assert mail["List-Unsubscribe"] == "<http://127.0.0.1/rse/x>"
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "Bonjour"
