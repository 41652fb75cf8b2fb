"""Addresses for programs: valid documents, asked anew at every reading, and nothing behind one that is closed."""

from __future__ import annotations

import re

import feedparser
import pytest
from sqlalchemy import select

from rse_core import people, privacy
from rse_core.api import Actor, BadInput, Conflict, NotFound
from rse_core.organisation import leave_space
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level
from rse_feed import drafting, subscriptions
from rse_feed.models import Subscription
from rse_feed.texts import Written


def write(core, person, body="Bonjour", audience="everyone", **values):
    with core.db.write() as session:
        return drafting.write(session, person.id, Written(body=body, audience=audience, **values)).post


def make(core, person, space=""):
    with core.db.write() as session:
        row, token = subscriptions.create(session, Actor(person.username, person.id), "Lecteur", space_key=space)
        return row.id, token


def test_atom_is_valid_and_says_who_what_and_where(site, anna, ben, rse_client):
    post = write(site, ben, "Texte <b>avec</b> & signes #sport", title="Titre & <suite>")
    _ident, token = make(site, anna)
    answer = rse_client.get(f"/rse/feed/atom/{token}")
    assert answer.mimetype == "application/atom+xml"
    feed = feedparser.parse(answer.data)
    assert not feed.bozo
    assert feed.version == "atom10"
    (entry,) = feed.entries
    assert entry.title_detail.value == "Titre &amp; <suite>" or entry.title == "Titre & <suite>"
    assert entry.author == "Benoît Œuvrard"
    assert entry.link.endswith(f"/rse/feed/posts/{post.id}")
    assert [tag.term for tag in entry.tags] == ["sport"]
    assert entry.published_parsed
    assert feed.feed.id != entry.id
    assert token not in answer.text


def test_json_feed_has_what_version_one_one_asks_for(site, anna, ben, rse_client):
    write(site, ben, "x" * 1000, title="Long")
    _ident, token = make(site, anna)
    answer = rse_client.get(f"/rse/feed/json/{token}")
    assert answer.mimetype == "application/feed+json"
    found = answer.get_json(force=True)
    assert found["version"] == "https://jsonfeed.org/version/1.1"
    (item,) = found["items"]
    assert item["id"]
    assert item["title"] == "Long"
    assert len(item["content_text"]) <= 300
    assert item["authors"] == [{"name": "Benoît Œuvrard"}]
    assert token not in answer.text


def test_nothing_of_the_session_is_in_it_and_an_unchanged_feed_is_empty(site, anna, rse_client):
    write(site, anna)
    _ident, token = make(site, anna)
    answer = rse_client.get(f"/rse/feed/atom/{token}")
    assert "Set-Cookie" not in answer.headers
    assert "noindex" in answer.headers["X-Robots-Tag"]
    same = rse_client.get(f"/rse/feed/atom/{token}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    write(site, anna, "Encore")
    again = rse_client.get(f"/rse/feed/atom/{token}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 200


def test_it_shows_what_its_owner_sees_and_not_what_others_do(site, anna, ben, rse_client):
    make_space(site, "secret", visibility="secret", members=[ben])
    write(site, ben, "Réservé", audience="space:secret")
    write(site, ben, "Brouillon", act="draft")
    _ident, token = make(site, anna)
    assert feedparser.parse(rse_client.get(f"/rse/feed/atom/{token}").data).entries == []


def test_whatever_closes_an_address_it_answers_as_one_that_never_was(site, anna, ben, rse_client):
    space = make_space(site, "jardin", members=[anna, ben])
    write(site, anna, audience="space:jardin")

    def ask(token):
        answer = rse_client.get(f"/rse/feed/atom/{token}")
        return answer.status_code, answer.data

    never = ask("nothing")
    assert never[0] == 404
    ident, token = make(site, anna, "jardin")
    assert ask(token)[0] == 200
    with site.db.write() as session:
        subscriptions.revoke(session, Actor("anna", anna.id), ident)
    assert ask(token) == never
    _ident, token = make(site, ben, "jardin")
    with site.db.write() as session:
        leave_space(session, space.id, ben.id)
    assert ask(token) == never
    _ident, token = make(site, anna)
    assert ask(token)[0] == 200
    with site.db.write() as session:
        people.disable(session, anna.id)
    assert ask(token) == never


def test_below_the_level_of_reading_there_is_nothing(site, ben, rse_client):
    entity = make_entity(site, "loin")
    anna = make_person(site, "loin-anna", entity=entity)
    make_space(site, "jardin", members=[anna, ben])
    write(site, ben, audience="space:jardin")
    write(site, ben)
    _ident, own = make(site, anna)
    _ident, of_space = make(site, anna, "jardin")
    assert len(feedparser.parse(rse_client.get(f"/rse/feed/atom/{own}").data).entries) == 2
    set_level(site, "inform", entity=entity)
    assert feedparser.parse(rse_client.get(f"/rse/feed/atom/{own}").data).entries == []
    assert rse_client.get(f"/rse/feed/atom/{of_space}").status_code == 404


def test_only_a_digest_is_kept_and_use_is_noted(site, anna, rse_client):
    ident, token = make(site, anna)
    rse_client.get(f"/rse/feed/atom/{token}")
    with site.db.read() as session:
        row = session.get(Subscription, ident)
        assert row.last_used_on is not None
        assert token.encode() not in row.digest
        assert len(row.digest) == 32


def test_ten_at_most_and_never_of_anothers(site, anna, ben):
    made = [make(site, anna)[0] for _ in range(10)]
    with pytest.raises(Conflict):
        make(site, anna)
    with site.db.write() as session, pytest.raises(NotFound):
        subscriptions.revoke(session, Actor("ben", ben.id), made[0])
    with site.db.write() as session, pytest.raises(NotFound):
        subscriptions.rename(session, ben.id, made[0], "Moi")
    with site.db.write() as session, pytest.raises(BadInput):
        subscriptions.rename(session, anna.id, made[0], " ")
    make_space(site, "secret", visibility="secret", members=[anna])
    refused = []
    for key in ("secret", "nulle-part"):
        with pytest.raises(NotFound) as error:
            make(site, ben, key)
        refused.append(str(error.value))
    assert refused[0] == refused[1]


def test_too_many_readings_are_put_off(site, anna, rse_client, monkeypatch):
    monkeypatch.setattr(subscriptions, "PER_HOUR", 2)
    _ident, token = make(site, anna)
    found = [rse_client.get(f"/rse/feed/json/{token}") for _ in range(3)]
    assert [answer.status_code for answer in found] == [200, 200, 429]
    assert int(found[2].headers["Retry-After"]) > 0


def test_the_address_is_shown_once(site, anna, rse_client, as_person):
    as_person(rse_client, anna)
    page = rse_client.get("/rse/feed/subscriptions", headers={"Accept-Language": "en"})
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
    made = rse_client.post("/rse/feed/subscriptions", data={"csrf_token": token, "name": "Téléphone"})
    (secret,) = set(re.findall(r"/rse/feed/atom/([\w-]+)", made.text))
    assert made.headers["Cache-Control"] == "no-store"
    assert secret not in rse_client.get("/rse/feed/subscriptions").text
    refused = rse_client.post("/rse/feed/subscriptions", data={"csrf_token": token, "name": ""})
    assert refused.status_code == 422
    assert rse_client.get(f"/rse/feed/json/{secret}").status_code == 200


def test_what_is_kept_of_a_person_is_exported_and_erased(site, anna, ben, rse_client):
    write(site, ben, "#sport")
    from rse_feed import topics

    _ident, token = make(site, anna)
    with site.db.write() as session:
        topics.follow(session, anna.id, topics.find(session, anna.id, "sport").id)
    with site.db.read() as session:
        found = str(privacy.export(session, anna.id))
        assert "sport" in found
        assert "Lecteur" in found
        assert token not in found
    with site.db.write() as session:
        privacy.erase(session, anna.id, actor=Actor("test"))
    with site.db.read() as session:
        assert session.scalars(select(Subscription)).all() == []
    assert rse_client.get(f"/rse/feed/atom/{token}").status_code == 404
