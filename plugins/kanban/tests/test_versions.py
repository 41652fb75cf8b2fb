"""What a card said before: kept with who and when, read by those who may, with what differs, and put back."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from sqlalchemy import select

from rse_core import moderation, privacy, roles
from rse_core.api import Actor, BadInput, Conflict, Forbidden, NotFound, utcnow
from rse_core.models.governance import Held
from rse_core.models.organisation import Person
from rse_core.testing import as_person, count_queries
from rse_core.testing.organisation import make_person, make_space
from rse_kanban import boards, cards, ending, handling, versions
from rse_kanban.cards import Written
from rse_kanban.changes import CardConflict
from rse_kanban.models import BoardRole, Card, CardRevision

ACTOR = Actor("cli:tests")


def told(desk, person, card, **values):
    found = desk.ask(versions.of_card, person.id, card.id, **values)
    return [(one.who.username if one.who else "", one.row.title, one.row.body) for one in found.changes]


def words(lines):
    return [(line.kind, "".join(part.text for part in line.parts)) for line in lines]


@pytest.fixture
def card(desk, anna, columns):
    return desk.card(anna, columns[0], "Haie", body="Couper en mars.\nPuis arroser.")


@pytest.fixture
def moderated(site):
    """A person who moderates the site, on which everything is read first."""
    mo = make_person(site, "mo")
    with site.db.write() as session:
        roles.grant(session, mo.id, "moderator", actor=ACTOR)
        moderation.review(session, "site", 0, True, actor=ACTOR, subject="site")
    return mo


def test_every_text_is_kept_with_who_changed_it_and_when(desk, anna, ben, card):
    first, second = utcnow() + dt.timedelta(hours=1), utcnow() + dt.timedelta(hours=2)
    with time_machine.travel(first, tick=False):
        desk.edit(ben, card, body="Couper en avril.\nPuis arroser.")
    with time_machine.travel(second, tick=False):
        desk.edit(anna, card, title="La haie", version=2)
    assert told(desk, ben, card) == [
        ("anna", "Haie", "Couper en avril.\nPuis arroser."), ("ben", "Haie", "Couper en mars.\nPuis arroser."),
    ]  # fmt: skip
    last, before = desk.ask(versions.of_card, anna.id, card.id).changes
    assert (last.row.at, before.row.at) == (second, first)
    assert (words(last.title), words(last.lines)) == ([("gone", "Haie"), ("new", "La haie")], [])
    assert words(before.lines) == [("gone", "Couper en mars."), ("new", "Couper en avril."), ("same", "Puis arroser.")]
    assert words(before.title) == []


def test_what_leaves_the_words_alone_keeps_nothing(desk, anna, ben, card, columns):
    desk.edit(anna, card, people=[ben.id])
    desk.edit(anna, card, body="Couper en mars.\nPuis arroser.  ", title=" Haie ", version=2)
    desk.move(anna, card, columns[1], version=2)
    assert told(desk, anna, card) == []
    with desk.core.db.read() as session:
        assert versions.are_there(session, desk.ask(versions.of_card, anna.id, card.id).seat, card) is False


def test_an_earlier_text_is_put_back_as_a_change_like_any_other(desk, anna, ben, card):
    desk.edit(ben, card, title="Perdu", body="")
    [lost] = desk.ask(versions.of_card, anna.id, card.id).changes
    done = desk.call(versions.put_back, anna.id, card.id, lost.row.id, version=2)
    assert (done.title, done.body, done.version) == ("Haie", "Couper en mars.\nPuis arroser.", 3)
    assert told(desk, ben, card)[0] == ("anna", "Perdu", "")
    with pytest.raises(Conflict):
        desk.call(versions.put_back, anna.id, card.id, lost.row.id, version=3)


def test_who_changes_the_text_meanwhile_is_not_overwritten(desk, anna, ben, card):
    desk.edit(ben, card, body="Deux")
    [kept] = desk.ask(versions.of_card, anna.id, card.id).changes
    desk.edit(ben, card, body="Trois", version=2)
    with pytest.raises(CardConflict):
        desk.call(versions.put_back, anna.id, card.id, kept.row.id, version=2)
    assert desk.ask(lambda session: session.get(Card, card.id)).body == "Trois"


def test_who_only_looks_reads_no_earlier_text_and_restores_none(desk, anna, ben, board, card):
    desk.edit(anna, card, body="Deux")
    [kept] = desk.ask(versions.of_card, ben.id, card.id).changes
    with desk.core.db.write() as session:
        session.add(BoardRole(board_id=board.id, kind="person", target_id=ben.id, role="reader"))
    for service in (versions.of_card, lambda *args: versions.one(*args, kept.row.id)):
        with pytest.raises(Forbidden):
            desk.ask(service, ben.id, card.id)
    with pytest.raises(Forbidden):
        desk.call(versions.put_back, ben.id, card.id, kept.row.id, version=2)
    stranger = make_person(desk.core, "stranger")
    other = desk.card(anna, desk.columns(desk.board(anna, "me"))[0], "Ailleurs")
    for person, where in ((stranger, card), (ben, other), (anna, other)):
        with pytest.raises(NotFound):
            desk.call(versions.put_back, person.id, where.id, kept.row.id, version=2)


def test_a_text_that_a_card_had_elsewhere_stays_there(desk, anna, ben, card, columns):
    desk.edit(anna, card, title="Licenciement", body="Noms")
    desk.edit(anna, card, title="Réunion", body="", version=2)
    roof = make_space(desk.core, "roof", managers=[ben, anna])
    there = desk.columns(desk.call(boards.create, anna.id, f"space:{roof.key}", "Toit"))[0]
    desk.move(anna, card, there, version=3)
    assert told(desk, ben, card) == []
    desk.edit(ben, card, title="Réunions", version=4)
    assert [title for _who, title, _body in told(desk, ben, card)] == ["Réunion"]


def test_a_moderator_corrects_what_waits_and_only_its_author_reads_the_text_before(desk, anna, ben, moderated):
    make_space(desk.core, "roof", members=[ben, moderated, make_person(desk.core, "cleo")], managers=[anna])
    made = desk.card(ben, desk.columns(desk.board(anna, "space:roof"))[0], "Appelez le 06", body="Ligne un\nligne deux")
    actor = Actor("mo", moderated.id)
    with pytest.raises(BadInput):
        desk.call(handling.amend, str(made.id), actor, " \n ")
    with pytest.raises(BadInput):
        desk.call(handling.amend, str(made.id), actor, "x" * 301)
    desk.call(handling.amend, str(made.id), actor, "Appelez-nous\n\nLigne un\nligne deux")
    desk.call(handling.amend, str(made.id), actor, "Appelez-nous\n\nLigne un\nligne deux")
    assert told(desk, ben, made) == [("mo", "Appelez le 06", "Ligne un\nligne deux")]
    assert told(desk, moderated, made) == told(desk, ben, made)
    with desk.core.db.read() as session:
        now = session.get(Card, made.id)
        assert (now.title, now.body, now.state, now.version) == ("Appelez-nous", "Ligne un\nligne deux", "pending", 2)
    # Its author, whose form was open, is shown both.
    with pytest.raises(CardConflict):
        desk.edit(ben, made, title="Appelez le 07", version=1)
    with desk.core.db.write() as session:
        held = session.scalars(select(Held)).one()
        moderation.decide(session, held.id, approve=True, actor=actor)
    while desk.core.jobs.run_due():
        pass
    with desk.core.db.read() as session:
        cleo = session.scalars(select(Person).where(Person.username == "cleo")).one()
    # She who runs the space decides there on what waits; a member who may write does not.
    assert [len(told(desk, person, made)) for person in (anna, ben, cleo)] == [1, 1, 0]
    with pytest.raises(Conflict):
        desk.call(handling.amend, str(made.id), actor, "Encore")


def test_where_publishing_is_moderated_a_text_put_back_waits(desk, anna, site, card):
    desk.edit(anna, card, body="Deux")
    [kept] = desk.ask(versions.of_card, anna.id, card.id).changes
    with site.db.write() as session:
        moderation.review(session, "site", 0, True, actor=ACTOR, subject="site")
    assert desk.call(versions.put_back, anna.id, card.id, kept.row.id, version=2).state == "pending"


def test_pages_follow_one_another(desk, anna, card):
    for number in range(7):
        desk.edit(anna, card, body=f"n{number}", version=number + 1)
    whole, parts, after = told(desk, anna, card), [], None
    while True:
        found = desk.ask(versions.of_card, anna.id, card.id, after=after, most=3)
        parts += [(one.who.username, one.row.title, one.row.body) for one in found.changes]
        assert all(words(one.lines)[-1][0] == "new" for one in found.changes)
        after = found.after
        if after is None:
            break
    assert (parts, len(whole)) == (whole, 7)


def test_it_goes_with_the_card_and_names_nobody_who_has_left(desk, anna, ben, board, card, columns):
    mine = desk.card(ben, columns[0], "À moi", body="avec @anna et @ben")
    desk.edit(ben, mine, body="sans, mais @ben")
    desk.edit(ben, card, body="Deux, dit @ben")
    found = desk.ask(privacy.export, ben.id)["sections"]
    [row] = [row for one in found if one["name"] == "kanban.cards" for row in one["rows"]]
    assert [one["body"] for one in row["before"]] == ["avec @anna et @ben"]
    desk.call(privacy.erase, ben.id, actor=Actor("cli"))
    with desk.core.db.read() as session:
        rows = session.scalars(select(CardRevision).order_by(CardRevision.id)).all()
        assert [(one.by_id, "@ben" in one.body) for one in rows] == [(None, False)] * 2
        assert [("@ben" in one.body, one.version) for one in session.scalars(select(Card).order_by(Card.id))] == [
            (False, 3), (False, 3),
        ]  # fmt: skip
    desk.call(ending.delete, anna.id, card.id)
    desk.call(handling.purge, str(card.id))
    with desk.core.db.read() as session:
        assert session.scalars(select(CardRevision.card_id)).all() == [mine.id]


def test_pages_and_programs_read_and_restore(rse_app, desk, anna, ben, board, card):
    client = rse_app.test_client()
    as_person(client, anna)
    client.environ_base = {**client.environ_base, "HTTP_ACCEPT_LANGUAGE": "en"}
    page, listed = f"/rse/kanban/cards/{card.id}", f"/rse/kanban/cards/{card.id}/versions"
    assert "never changed" in client.get(listed).text
    assert listed not in client.get(page).text
    desk.edit(ben, card, title="<b>Haie</b>", body="Couper en mai.\n<script>")
    assert listed in client.get(page).text
    text = client.get(listed).text
    assert "Benoît Œuvrard changed the title and the text" in text
    assert "<script>" not in text.split("<main", 1)[1].split("</main", 1)[0]
    rest = f"/rse/api/v1/kanban/cards/{card.id}/versions"
    [row] = client.get(rest).json["items"]
    assert (row["title"], row["person"]["username"], row["unpublished"]) == ("Haie", "ben", False)
    one = f"{listed}/{row['id']}"
    form = client.get(one).text
    assert "Restore this text" in form
    token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', form)[1]
    headers = {"Origin": "http://localhost"}
    assert client.post(one, data={"csrf_token": token, "version": "1"}, headers=headers).status_code == 409
    assert client.post(one, data={"version": "2"}, headers=headers).status_code == 403
    assert client.post(one, data={"csrf_token": token, "version": "2"}, headers=headers).status_code == 303
    assert "Couper en mars." in client.get(page).text
    assert "Restore this text" not in client.get(one).text
    sign = {"X-RSE-CSRF": client.get("/rse/embed/slots?address=/news/1&slots=comments").headers["X-RSE-CSRF"]}
    latest = client.get(f"{rest}?limit=1").json
    answer = client.post(f"{rest}/{latest['items'][0]['id']}/restore", json={"version": 3}, headers=sign)
    assert (answer.status_code, answer.json["title"]) == (200, "<b>Haie</b>")
    assert client.get(rest, query_string={"cursor": latest["next"]}).json["items"][-1]["title"] == "Haie"
    for path in (f"{listed}?after=zz", f"{rest}?cursor=zz"):
        assert client.get(path).status_code in (400, 422)
    assert client.get(f"{listed}/999").status_code == 404


def test_the_list_costs_as_many_queries_whatever_there_is(rse_app, desk, anna, card, monkeypatch):
    monkeypatch.setattr("rse_kanban.cards.PER_MINUTE", 1_000)
    client = rse_app.test_client()
    as_person(client, anna)

    def cost():
        with count_queries(desk.core) as count:
            assert client.get(f"/rse/kanban/cards/{card.id}/versions").status_code == 200
        return len(count)

    desk.edit(anna, card, body="x", version=1)
    cost()
    few = cost()
    for number in range(12):
        desk.call(cards.edit, anna.id, card.id, Written(body=f"n{number}"), version=None)
    assert cost() == few
