"""Nobody finds what they may not see: every state, audience, level and switch; nor by a number, a name or a suggestion."""

from __future__ import annotations

import pytest

from rse_core import audiences, organisation, people
from rse_core.api import Actor, Forbidden, Level, SignInNeeded, SpaceChange
from rse_core.testing.organisation import make_entity, make_group, make_person, make_space, set_level
from rse_search import service
from rse_search.asking import Asked

STATES = {"published": True, "archived": True, "locked": True, "draft": False, "pending": False, "scheduled": False,
          "deleted": False, "refused": False}  # fmt: skip


@pytest.mark.parametrize(("state", "found"), STATES.items())
def test_only_what_is_shown_is_found(site, anna, state, found):
    site.write("one", "Secret du jardin", state=state, author_id=anna.id)
    site.write("answer", "Réponse au jardin", parent="one")
    site.work()
    assert set(site.find(anna, "jardin")) == ({"one", "answer"} if found else set())
    assert site.results(anna, "jardin").count == (2 if found else 0)


@pytest.mark.parametrize("state", [state for state, found in STATES.items() if not found])
def test_what_leaves_the_shown_states_is_gone_at_once_and_forgotten_soon(site, anna, state):
    site.write("one", "Jardin")
    site.write("answer", "Jardin encore", parent="one")
    site.work()
    assert len(site.find(anna, "jardin")) == 2
    site.notes["one"]["state"] = state
    # Before any worker has run: the index still has it, nobody is shown it.
    assert site.find(anna, "jardin") == []
    site.tell("one")
    site.work()
    assert site.results(anna, "jardin").count == 0


def test_what_is_deleted_takes_with_it_what_stands_on_it(site, anna):
    site.write("one", "Jardin")
    for number in range(3):
        site.write(f"answer{number}", "Jardin encore", parent="one")
    site.work()
    site.delete("one")
    site.work()
    results = site.results(anna, "jardin")
    assert results.hits == ()
    assert results.count == 0


def test_each_audience_finds_its_own(site):
    north, south = make_entity(site.core, "north"), make_entity(site.core, "south")
    ben, carl = make_person(site.core, "ben", entity=north), make_person(site.core, "carl", entity=south)
    outside = make_person(site.core, "olga", external=True)
    group = make_group(site.core, "board", members=[carl])
    space = make_space(site.core, "garden", visibility="secret", members=[ben])
    with site.core.db.write() as session:
        organisation.join_space(session, space.id, outside.id, "external")
        ids = {
            "everyone": audiences.everyone(session),
            "north": audiences.of_entity(session, north.id),
            "board": audiences.of_group(session, group.id),
            "garden": audiences.of_members(session, space.id),
        }
    for name, audience_id in ids.items():
        site.write(name, f"Plan {name}", audience_id=audience_id, space_id=space.id if name == "garden" else None)
    site.write("nobody", "Plan de personne", audience_id=None)
    site.work()
    assert set(site.find(ben, "plan")) == {"everyone", "north", "garden"}
    assert set(site.find(carl, "plan")) == {"everyone", "board"}
    assert set(site.find(outside, "plan")) == {"garden"}
    # Neither a number nor a name tells of what is not found.
    assert site.results(carl, "plan").count == 2
    assert site.numbers(carl, "space", "plan") == {}
    assert site.numbers(ben, "space", "plan") == {"garden": 1}
    hidden, unknown = (site.results(carl, "plan", space=key) for key in ("garden", "no-such-space"))
    assert (hidden.hits, hidden.count, hidden.chosen["space"]) == (unknown.hits, unknown.count, "garden")


def test_a_suggestion_is_made_of_words_that_one_may_see(site, anna):
    ben = make_person(site.core, "ben")
    space = make_space(site.core, "fusion", visibility="secret", members=[ben])
    with site.core.db.write() as session:
        members = audiences.of_members(session, space.id)
    site.write("secret", "Projet Chrysanthème", audience_id=members, space_id=space.id)
    site.work()
    assert site.results(ben, "chrysantheme")
    assert site.results(ben, "chrysnatheme").better == "chrysanthème"
    results = site.results(anna, "chrysnatheme")
    assert results.better == ""
    assert results.hits == ()
    assert results.count == 0


def test_who_leaves_a_space_finds_nothing_of_it(site, anna):
    space = make_space(site.core, "garden", members=[anna])
    with site.core.db.write() as session:
        members = audiences.of_members(session, space.id)
    site.write("one", "Jardin", audience_id=members, space_id=space.id)
    site.work()
    assert site.find(anna, "jardin") == ["one"]
    with site.core.db.write() as session:
        organisation.leave_space(session, space.id, anna.id)
    assert site.find(anna, "jardin") == []


def test_who_has_left_finds_nothing(site, anna):
    site.write("one", "Jardin")
    site.work()
    with site.core.db.write() as session:
        people.disable(session, anna.id)
    with pytest.raises(Forbidden):
        site.find(anna, "jardin")


def test_below_the_level_there_is_no_search_and_the_reason_is_told(site):
    low = make_person(site.core, "low", level=Level.INFORM)
    with pytest.raises(Forbidden) as refused:
        site.find(low, "jardin")
    assert refused.value.decision.reason == "level"
    assert str(refused.value)
    with site.core.db.read() as session, pytest.raises(SignInNeeded):
        service.search(session, None, Asked("jardin"))
    assert site.scopes(low) == []


def test_what_one_s_level_does_not_show_is_not_found(site):
    reader = make_person(site.core, "reader", level=Level.REACT)
    site.write("one", "Jardin")
    site.write("answer", "Jardin encore", parent="one")
    site.work()
    assert site.find(reader, "jardin") == ["one"]
    assert site.results(reader, "jardin").count == 1
    assert site.numbers(reader, "kind", "jardin") == {"note": 1}


def test_a_level_may_differ_from_space_to_space(site, anna):
    quiet, loud = (make_space(site.core, key, members=[anna]) for key in ("quiet", "loud"))
    set_level(site.core, Level.INFORM, space=quiet, kind="cap")
    for space in (quiet, loud):
        with site.core.db.write() as session:
            members = audiences.of_members(session, space.id)
        site.write(space.key, "Jardin", audience_id=members, space_id=space.id)
    site.work()
    assert site.find(anna, "jardin") == ["loud"]


def test_a_plugin_that_is_off_brings_nothing(site, anna):
    space = make_space(site.core, "garden", visibility="public")
    site.write("one", "Jardin")
    site.write("two", "Jardin", space_id=space.id)
    site.work()
    assert set(site.find(anna, "jardin")) == {"one", "two"}
    actor = Actor("test")
    with site.core.db.write() as session:
        site.core.plugins.disable(session, "notes", actor, "space", space.id)
    assert site.find(anna, "jardin") == ["one"]
    assert site.results(anna, "jardin").count == 1
    with site.core.db.write() as session:
        site.core.plugins.disable(session, "notes", actor)
    assert site.find(anna, "jardin") == []
    assert site.results(anna, "jardin").count == 0


def test_a_space_that_closes_hides_what_stands_in_it_in_the_same_transaction(site, anna):
    ben = make_person(site.core, "ben")
    space = make_space(site.core, "garden", visibility="public", members=[ben])
    with site.core.db.write() as session:
        everyone, members = audiences.everyone(session), audiences.of_members(session, space.id)
    site.write("one", "Jardin", audience_id=everyone, space_id=space.id)
    site.work()
    assert site.find(anna, "jardin") == ["one"]
    with site.core.db.write() as session:
        site.core.plugins.space_changed(session, SpaceChange(space.id, everyone, members))
    assert site.find(anna, "jardin") == []
    assert site.results(anna, "jardin").count == 0
    site.notes["one"]["audience_id"] = members
    assert site.find(ben, "jardin") == ["one"]


def test_a_space_that_is_taken_in_by_another_is_found_there(site, anna):
    ben = make_person(site.core, "ben")
    small, large = make_space(site.core, "small", members=[anna]), make_space(site.core, "large", members=[ben])
    with site.core.db.write() as session:
        before, after = audiences.of_members(session, small.id), audiences.of_members(session, large.id)
        everyone = audiences.everyone(session)
    site.write("one", "Jardin", audience_id=before, space_id=small.id)
    site.write("card", "Jardin, la communauté", audience_id=everyone, space_id=small.id)
    site.work()
    site.notes["one"] |= {"audience_id": after, "space_id": large.id}
    site.notes["card"] |= {"state": "deleted"}
    with site.core.db.write() as session:
        site.core.plugins.space_changed(session, SpaceChange(small.id, before, after, into=large.id))
    assert site.find(anna, "jardin") == []
    assert site.find(ben, "jardin", space="large") == ["one"]
    site.work()
    assert site.results(ben, "jardin").count == 1


def test_what_a_space_showed_to_others_is_looked_at_again(site, anna):
    """The entry of a listed space is for everybody while its content is for members: it must not outlive the listing."""
    space = make_space(site.core, "garden")
    with site.core.db.write() as session:
        everyone, members = audiences.everyone(session), audiences.of_members(session, space.id)
    site.write("card", "Jardin", audience_id=everyone, space_id=space.id)
    site.work()
    with site.core.db.write() as session:
        site.core.plugins.space_changed(session, SpaceChange(space.id, members, members))
    assert site.find(anna, "jardin") == []
    site.work()
    assert site.find(anna, "jardin") == ["card"]


def test_the_entry_of_the_space_itself_is_looked_at_again(site, anna):
    space = make_space(site.core, "garden")
    ident = str(space.id)
    site.write(ident, "Jardin", kind="space")
    site.work()
    site.notes[ident]["audience_id"] = None
    with site.core.db.write() as session:
        members = audiences.of_members(session, space.id)
        site.core.plugins.space_changed(session, SpaceChange(space.id, members, members))
    assert site.results(anna, "jardin").count == 0
    site.notes[ident].pop("audience_id")
    site.work()
    assert site.find(anna, "jardin") == [ident]


def test_moving_an_object_moves_what_stands_on_it(site, anna):
    ben = make_person(site.core, "ben")
    group = make_group(site.core, "board", members=[ben])
    site.write("one", "Jardin")
    site.write("answer", "Jardin encore", parent="one")
    site.work()
    with site.core.db.write() as session:
        site.notes["one"]["audience_id"] = audiences.of_group(session, group.id)
    assert site.find(anna, "jardin") == []
    site.tell("one", "notes.moved")
    site.work()
    assert site.results(anna, "jardin").count == 0
    assert set(site.find(ben, "jardin")) == {"one", "answer"}


def test_very_many_objects_on_one_follow_it(site, anna, monkeypatch):
    from rse_search import indexing

    monkeypatch.setattr(indexing, "AT_ONCE", 2)
    site.write("one", "Jardin")
    for number in range(7):
        site.write(f"answer{number}", "Jardin encore", parent="one")
    site.work()
    assert site.results(anna, "jardin").count == 8
    site.delete("one")
    site.work()
    assert site.results(anna, "jardin").count == 0


def test_what_stands_on_an_object_is_found_again_when_that_is_shown_again(site, anna, monkeypatch):
    from rse_search import indexing

    monkeypatch.setattr(indexing, "AT_ONCE", 2)
    site.write("one", "Jardin")
    for number in range(5):
        site.write(f"answer{number}", "Jardin encore", parent="one")
    site.work()
    for state, found in (("pending", 0), ("published", 6)):
        site.notes["one"]["state"] = state
        site.tell("one")
        site.work()
        assert site.results(anna, "jardin").count == found


def test_what_a_public_space_keeps_for_its_members_is_found_by_them_alone(site, anna):
    ben = make_person(site.core, "ben")
    space = make_space(site.core, "square", visibility="public", members=[ben])
    site.write("one", "Secret du jardin", space_id=space.id)
    site.write("answer", "Réponse au jardin", parent="one")
    site.write("other", "Un autre jardin")
    site.work()
    assert set(site.find(anna, "jardin")) == {"one", "answer", "other"}
    with site.core.db.write() as session:
        organisation.set_space_rule(session, space.id, "notes.read", "members")
    assert set(site.find(ben, "jardin")) == {"one", "answer", "other"}
    assert site.find(anna, "jardin") == ["other"], "neither the note nor what stands on it"
    assert site.results(anna, "jardin").count == 1
    assert site.numbers(anna, "space", "jardin") == {}
    assert site.numbers(anna, "kind", "jardin") == {"note": 1}
    assert site.find(anna, "secert") == [], "nor a slip away"


def test_a_public_space_may_open_to_its_members_what_is_closed_elsewhere(site):
    set_level(site.core, "react")
    space = make_space(site.core, "square", visibility="public")
    ben, anna = make_person(site.core, "ben", spaces=[space]), make_person(site.core, "anna")
    set_level(site.core, "comment", space=space)
    site.write("one", "Jardin", space_id=space.id)
    site.write("answer", "Jardin encore", parent="one")
    site.write("other", "Un autre jardin")
    site.write("reply", "Jardin encore", parent="other")
    site.work()
    assert set(site.find(ben, "jardin")) == {"one", "answer", "other"}
    assert set(site.find(anna, "jardin")) == {"one", "other"}


def test_where_a_space_caps_its_level_below_reading_nothing_is_found_of_it(site, anna):
    space = make_space(site.core, "square", visibility="public", members=[anna])
    site.write("one", "Jardin", space_id=space.id)
    site.work()
    assert site.find(anna, "jardin") == ["one"]
    set_level(site.core, "inform", space=space, kind="cap")
    assert site.results(anna, "jardin").count == 0
