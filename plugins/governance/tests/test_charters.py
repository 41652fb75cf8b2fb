"""Charters: published, compared, accepted in the form that writes; evidence and rates."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from sqlalchemy import update

from rse_core import charter, indicators_roll, organisation, rollout
from rse_core.api import Actor, Conflict, Forbidden, NotFound, utcnow
from rse_core.models.organisation import SpaceMember
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_person, make_space
from rse_governance import charters

ACTOR = Actor("cli:tests")


def token_of(browser, path="/rse/me/"):
    return re.search(r'name="csrf_token" value="([^"]+)"', browser.get(path).text)[1]


TEXT = """# Charte

Soyez aimables.

- [ ] Je reste aimable.

Pas de secrets.

- [ ] Je garde les secrets.

Merci.
"""


def publish(core, person, body="Be kind.", **values):
    with core.db.write() as session:
        return charters.publish(session, person.id, title="Charter", body=body, **values)


def test_a_text_is_cut_at_its_boxes_and_one_without_has_one():
    parts = charter.steps(TEXT)
    assert [step.box for step in parts] == ["Je reste aimable.", "Je garde les secrets.", ""]
    assert parts[0].text.startswith("# Charte")
    assert (charter.boxes(TEXT), charter.boxes("Text."), charter.has_boxes("Text.")) == (2, 1, False)
    assert charter.boxes("- [x] done\n- [ ]no\n1. [ ] no\n      - [ ] code") == 1


def test_the_sites_is_published_by_administrators_and_a_spaces_by_its_owners(site, people):
    for who in ("anna", "mo"):
        with pytest.raises(Forbidden):
            publish(site, people[who])
    make_space(site, "garden", members=[people["anna"]], managers=[people["max"]])
    assert publish(site, people["ada"]).version == "1"
    own = publish(site, people["max"], space="garden")
    with pytest.raises(Forbidden):
        publish(site, people["anna"], space="garden")
    with pytest.raises(NotFound):
        publish(site, people["ada"], space="garden")
    with site.db.read() as session:
        assert charters.one(session, people["anna"].id, own.id)[0].id == own.id
        with pytest.raises(NotFound):
            charters.one(session, people["ben"].id, own.id)


def test_a_version_made_from_an_older_one_is_a_conflict_and_one_to_come_is_not_shown(site, people):
    first = publish(site, people["ada"], seen=0)
    publish(site, people["ada"], body="Be kind to all.", seen=first.id)
    with pytest.raises(Conflict):
        publish(site, people["ada"], body="Other.", seen=first.id)
    later = publish(site, people["ada"], body="Later.", published_at=utcnow() + dt.timedelta(days=3))
    with site.db.read() as session:
        assert len(charters.versions(session, people["anna"].id)[1]) == 2
        assert len(charters.versions(session, people["ada"].id)[1]) == 3
        with pytest.raises(NotFound):
            charters.one(session, people["anna"].id, later.id)


def test_a_difference_tells_word_by_word_what_was_added_and_removed():
    pieces = charters.difference("Be kind.\nSame line.\n", "Be very kind.\nSame line.\nNew.\n")
    assert [(one.change, one.text.strip()) for one in pieces if one.change] == [("added", "very"), ("added", "New.")]
    assert "".join(one.text for one in pieces if one.change != "removed") == "Be very kind.\nSame line.\nNew.\n"
    assert "".join(one.text for one in pieces if one.change != "added") == "Be kind.\nSame line.\n"
    assert charters.difference("a", "a") == [charters.Piece("", "a")]


def test_two_long_texts_with_nothing_in_common_are_compared_at_once():
    before, after = " ".join(f"a{n}" for n in range(20_000)), " ".join(f"b{n}" for n in range(20_000))
    assert [one.change for one in charters.difference(before, after)] == ["removed", "added"]


def test_who_accepted_is_for_those_who_publish_with_the_moment(site, people):
    found = publish(site, people["ada"])
    with site.db.write() as session:
        for name in ("anna", "ben"):
            charter.accept(session, people[name].id, found.id)
    with site.db.read() as session:
        rows, more = charters.acceptors(session, people["ada"].id, found.id, most=1)
        assert [card.username for card, _at in rows] == ["anna"]
        rows, more = charters.acceptors(session, people["ada"].id, found.id, after=more, most=1)
        assert ([card.username for card, _at in rows], more) == (["ben"], None)
        # Moderators of the site answer for its charter, and publish none.
        assert charters.acceptors(session, people["mo"].id, found.id)[0]
        with pytest.raises(Forbidden):
            charters.acceptors(session, people["anna"].id, found.id)


PLAN = """
name = "plan"
[[wave]]
name = "pilot"
starts = 2030-01-10
level = "comment"
entities = ["head"]
[[wave]]
name = "rest"
starts = 2030-03-01
level = "comment"
entities = ["*"]
"""


def test_a_spaces_rates_are_of_its_members(site, people):
    north = make_entity(site, "north")
    some = [make_person(site, f"n{number}", entity=north) for number in range(12)]
    make_space(site, "garden", visibility="public", members=some, managers=[people["max"]])
    with site.db.write() as session:
        session.execute(update(SpaceMember).where(SpaceMember.person_id == people["max"].id).values(role="owner"))
    with site.db.write() as session:
        found = charters.publish(session, people["max"].id, space="garden", title="Rules", body="Be kind.")
        for person in some[:3]:
            charter.accept(session, person.id, found.id)
    with site.db.read() as session:
        told = charters.rates(session, people["max"].id, found.id)
        assert (told.whole.accepted, told.whole.people, told.waves) == (3, 13, ())
        with pytest.raises(Forbidden):
            charters.rates(session, people["mo"].id, found.id)


def entity_of(core, key, count, accepted, charter_id, parent=None):
    entity = make_entity(core, key, parent=parent)
    for number in range(count):
        person = make_person(core, f"{key}-{number}", entity=entity)
        if number < accepted:
            with core.db.write() as session:
                charter.accept(session, person.id, charter_id)
    return entity


def test_rates_hide_small_groups_also_by_subtraction(site, people):
    found = publish(site, people["ada"])
    head = make_entity(site, "head")
    entity_of(site, "big", 14, 7, found.id, parent=head)
    entity_of(site, "mid", 11, 11, found.id, parent=head)
    entity_of(site, "tiny", 3, 1, found.id, parent=head)
    entity_of(site, "south", 20, 4, found.id)
    for number in range(6):
        make_person(site, f"nowhere-{number}")
    with site.db.read() as session:
        told = charters.rates(session, people["ada"].id, found.id)
        assert (told.day, told.whole.people, told.entities) == (None, None, [])
    with site.db.write() as session:
        rollout.apply(session, site, PLAN, actor=ACTOR)
        indicators_roll.roll_up(session)
    with site.db.read() as session:
        told = charters.rates(session, people["mo"].id, found.id, entity="head")
        shown = {row.key: (row.accepted, row.people) for row in told.entities}
        assert (told.whole.people, told.whole.accepted, told.whole.percent) == (28, 19, 67)
        # The three of “tiny” would be what is left: “mid” is hidden with them.
        assert shown == {"big": (7, 14), "mid": (None, None), "tiny": (None, None)}
        told = charters.rates(session, people["ada"].id, found.id, entity="tiny")
        assert (told.whole.people, told.entities) == (None, [])
        told = charters.rates(session, people["ada"].id, found.id)
        assert {row.key: (row.accepted, row.people) for row in told.waves} == {"pilot": (19, 28), "rest": (4, 20)}
        with pytest.raises(Forbidden):
            charters.rates(session, people["anna"].id, found.id)
        with count_queries(site) as counted:
            charters.rates(session, people["ada"].id, found.id)
        assert len(counted) <= 30
    with site.db.write() as session:
        organisation.rename_entity(session, head.id, "Head office")


def test_acceptance_is_sent_with_the_form_and_unticked_boxes_accept_nothing(site, people, client):
    found = publish(site, people["ada"], body=TEXT)
    browser = client(people["anna"])
    token = token_of(browser)
    form = {"csrf_token": token, "rse_charter": str(found.id), "lang": "en"}
    browser.post("/rse/me/language", data={**form, "rse_charter_box": f"{found.id}.0"})
    with site.db.read() as session:
        assert [one.id for one in charter.missing(session, people["anna"].id)] == [found.id]
    browser.post("/rse/me/language", data={**form, "rse_charter_box": [f"{found.id}.0", f"{found.id}.1"]})
    with site.db.read() as session:
        assert charter.missing(session, people["anna"].id) == []
        assert charter.missing(session, people["ben"].id) != []


def test_the_page_of_the_charter_wants_every_box(site, people, client):
    found = publish(site, people["ada"], body=TEXT)
    browser = client(people["anna"])
    page = browser.get("/rse/charter/").text
    assert page.count('type="checkbox"') == 2
    form = {"csrf_token": token_of(browser), "charter": str(found.id)}
    assert browser.post("/rse/charter/", data=form).status_code == 422
    boxes = [f"{found.id}.0", f"{found.id}.1"]
    assert browser.post("/rse/charter/", data={**form, "rse_charter_box": boxes}).status_code == 303
    with site.db.read() as session:
        assert charter.missing(session, people["anna"].id) == []
