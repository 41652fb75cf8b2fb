"""Reactions: one for each person and object, exact counts, and no way around the rules."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from rse_core import organisation
from rse_core.api import (
    Actor,
    BadInput,
    Capability,
    ContentInfo,
    ContentType,
    Forbidden,
    Level,
    Manifest,
    NotFound,
    ObjectRef,
    Plugin,
    SignInNeeded,
    TooMany,
    hookimpl,
)
from rse_core.models.runtime import NotificationRow, Outbox
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level
from rse_likes import health, personal, plugin, service
from rse_likes.models import Reaction, ReactionCount

PAGE = ObjectRef("page", "/news/1")


def react(core, person, ref=PAGE, kind="like"):
    with core.db.write() as session:
        return service.react(session, person.id, ref, kind)


def unreact(core, person, ref=PAGE):
    with core.db.write() as session:
        return service.unreact(session, person.id, ref)


def counts(core, ref=PAGE):
    with core.db.read() as session:
        return service.counts(session, [ref]).get(ref, {})


def test_a_reaction_is_counted_once_however_often_it_is_sent(site, anna):
    assert [react(site, anna) for _ in range(3)] == ["added", None, None]
    assert counts(site) == {"like": 1}


def test_changing_a_reaction_is_an_update_and_withdrawing_leaves_nothing(site, anna, ben):
    react(site, anna)
    react(site, ben)
    assert react(site, anna, kind="bravo") == "changed"
    assert counts(site) == {"like": 1, "bravo": 1}
    assert unreact(site, anna) == "bravo"
    assert unreact(site, anna) is None
    assert counts(site) == {"like": 1}
    with site.db.read() as session:
        assert len(session.scalars(select(Reaction)).all()) == 1


def test_every_address_of_a_page_is_one_object(site, anna, ben):
    react(site, anna, ObjectRef("page", "/news/1/?utm_source=x"))
    react(site, ben, ObjectRef("page", "/news/1"))
    assert counts(site) == {"like": 2}


def test_below_react_the_answer_is_no_with_the_reason_and_nothing_is_deleted(site, anna):
    react(site, anna)
    set_level(site, "inform")
    with pytest.raises(Forbidden) as refused:
        unreact(site, anna)
    assert refused.value.decision.reason == "level"
    with pytest.raises(Forbidden):
        react(site, anna, ObjectRef("page", "/news/2"))
    assert counts(site) == {"like": 1}


def test_nobody_reacts_without_signing_in(site):
    with site.db.write() as session, pytest.raises((SignInNeeded, NotFound)):
        service.react(session, None, PAGE, "like")


@pytest.mark.parametrize(
    "ref", [ObjectRef("nothing", "1"), ObjectRef("page", "https://evil.test/x"), ObjectRef("page", "x")]
)
def test_unknown_objects_are_refused(site, anna, ref):
    with pytest.raises(NotFound):
        react(site, anna, ref)


def test_a_reaction_that_is_not_offered_is_refused_with_those_that_are(site, anna):
    with pytest.raises(BadInput, match="like, useful, bravo, thanks"):
        react(site, anna, kind="hate")


def test_a_retired_reaction_keeps_its_history_but_is_no_longer_offered(site, anna, ben):
    react(site, anna, kind="bravo")
    with site.db.write() as session:
        site.options.set(session, "likes.reactions", [{"key": "like"}, {"key": "bravo", "retired": True}], Actor("cli"))
    assert counts(site) == {"bravo": 1}
    with pytest.raises(BadInput):
        react(site, ben, kind="bravo")
    assert unreact(site, anna) == "bravo"


@pytest.mark.parametrize(
    "value",
    [
        None, [], {}, [{"key": "Like"}], [{"key": 7}], [{"key": "x"}], [{"key": "x", "label": {"fr": "X"}}],
        [{"key": "x", "label": {"fr": "X", "en": " "}}], [{"key": "like"}, {"key": "like"}],
        [{"key": "like", "retired": True}], [{"key": "like", "retired": "no"}], [{"key": "a" * 31, "label": "A"}],
        [{"key": "like", "icon": "x\"><script>"}], [{"key": "like", "lable": "Like"}],
        [{"key": f"k{i}", "label": "K"} for i in range(9)],
    ],
)  # fmt: skip
def test_a_set_of_reactions_that_makes_no_sense_is_refused(site, value):
    with site.db.write() as session, pytest.raises(BadInput):
        site.options.set(session, "likes.reactions", value, Actor("cli"))


class Notes(Plugin):
    """Objects of a plugin: authored, some in a space, in any state."""

    manifest = Manifest(name="notes", label="Notes")
    notes: dict[str, dict[str, object]] = {}

    @hookimpl
    def rse_content_types(self):
        def resolve(session, ids):
            from rse_core.audiences import everyone

            found = {}
            for ident in ids:
                if ident in self.notes:
                    values = {"audience_id": everyone(session)} | self.notes[ident]
                    found[ident] = ContentInfo(ObjectRef("notes.note", ident), f"Note {ident}", f"/notes/{ident}", **values)
            return found

        return [
            ContentType("notes.note", "note", resolve, likable=True, reads="notes.read"),
            ContentType("notes.other", "other", resolve),
        ]

    @hookimpl
    def rse_capabilities(self):
        return [Capability("notes.read", "Read", Level.REACT, writes=False)]


@pytest.fixture
def noted(rse_core):
    notes = Notes()
    notes.notes = {}
    core = rse_core([plugin, notes])
    set_level(core, "react")
    return core, notes.notes


def test_reactions_come_from_others_unless_the_site_says_otherwise(noted):
    core, notes = noted
    author = make_person(core, "author")
    notes["1"] = {"author_id": author.id}
    ref = ObjectRef("notes.note", "1")
    with pytest.raises(Forbidden, match=r"others|autres"):
        react(core, author, ref)
    with core.db.write() as session:
        core.options.set(session, "likes.own_content", True, Actor("cli"))
    assert react(core, author, ref) == "added"


@pytest.mark.parametrize(
    ("state", "error"),
    [("draft", NotFound), ("pending", NotFound), ("scheduled", NotFound), ("deleted", NotFound), ("archived", Forbidden),
     ("locked", Forbidden)],
)  # fmt: skip
def test_what_is_not_published_takes_no_reaction(noted, state, error):
    core, notes = noted
    notes["1"] = {"state": state}
    with pytest.raises(error):
        react(core, make_person(core), ObjectRef("notes.note", "1"))


def test_a_type_that_is_not_likable_takes_none(noted):
    core, notes = noted
    notes["1"] = {}
    with pytest.raises(NotFound):
        react(core, make_person(core), ObjectRef("notes.other", "1"))


def test_a_private_space_is_not_confirmed_to_exist(noted):
    core, notes = noted
    space = make_space(core, "secret", visibility="secret")
    member, stranger = make_person(core, spaces=[space]), make_person(core)
    with core.db.read() as session:
        from rse_core.audiences import of_space

        notes["1"] = {"audience_id": of_space(session, space.id), "space_id": space.id}
    ref = ObjectRef("notes.note", "1")
    assert react(core, member, ref) == "added"
    for act in (react, unreact):
        with pytest.raises(NotFound):
            act(core, stranger, ref)
    with core.db.read() as session, pytest.raises(NotFound):
        service.who(session, stranger.id, ref)


def test_what_a_public_space_keeps_for_its_members_is_reacted_to_by_them_alone(noted):
    core, notes = noted
    space = make_space(core, "square", visibility="public")
    member, stranger = make_person(core, spaces=[space]), make_person(core)
    notes["1"] = {"space_id": space.id}
    ref = ObjectRef("notes.note", "1")
    assert react(core, stranger, ref) == "added"
    with core.db.write() as session:
        organisation.set_space_rule(session, space.id, "notes.read", "members")
    assert react(core, member, ref) == "added"
    with pytest.raises(NotFound):
        unreact(core, stranger, ref)
    with core.db.read() as session:
        assert list(service.states(session, member.id, [ref])) == [ref]
        assert service.states(session, stranger.id, [ref]) == {}
        with pytest.raises(NotFound):
            service.who(session, stranger.id, ref)


def test_the_author_is_told_once_and_a_withdrawal_takes_it_back(noted):
    core, notes = noted
    author, anna, ben = (make_person(core, name) for name in ("author", "anna", "ben"))
    notes["1"] = {"author_id": author.id}
    ref = ObjectRef("notes.note", "1")
    react(core, anna, ref)
    react(core, anna, ref, "bravo")
    react(core, ben, ref)
    core.jobs.run_due()
    core.jobs.run_due()
    with core.db.read() as session:
        from rse_core import notify

        (notice,) = notify.of_person(session, author.id)
        assert notice.actors == 2
        assert notify.unread(session, author.id) == 1
    unreact(core, ben, ref)
    core.jobs.run_due()
    with core.db.read() as session:
        assert notify.of_person(session, author.id)[0].actors == 1
    unreact(core, anna, ref)
    core.jobs.run_due()
    with core.db.read() as session:
        assert session.scalars(select(NotificationRow)).all() == []


def test_a_flood_is_stopped_and_not_counted(site, anna):
    for number in range(service.PER_MINUTE):
        react(site, anna, ObjectRef("page", f"/p/{number}"))
    with pytest.raises(TooMany):
        react(site, anna, ObjectRef("page", "/p/more"))
    assert counts(site, ObjectRef("page", "/p/more")) == {}


def test_who_reacted_pages_by_keyset_and_does_not_name_who_has_left(site, anna):
    from rse_core import people

    others = [make_person(site) for _ in range(5)]
    for person in others:
        react(site, person)
    with site.db.write() as session:
        people.disable(session, others[-1].id)
    with site.db.read() as session:
        first = service.who(session, anna.id, PAGE, most=3)
        second = service.who(session, anna.id, PAGE, before=first[-1].row, most=3)
    assert [row.person.id if row.person else None for row in first] == [None, others[3].id, others[2].id]
    assert [row.person.id for row in second] == [others[1].id, others[0].id]
    assert counts(site) == {"like": 5}


def test_reading_many_objects_costs_the_same_as_reading_one(site, anna):
    refs = [ObjectRef("page", f"/p/{number}") for number in range(40)]
    for ref in refs:
        react(site, anna, ref)
    costs = []
    for some in (refs[:1], refs):
        with site.db.read() as session, count_queries(site) as counter:
            service.counts(session, some)
            service.mine(session, anna.id, some)
        costs.append(len(counter))
    assert costs == [2, 2]


def test_the_state_of_many_objects_costs_the_same_as_that_of_one(site, anna):
    refs = [ObjectRef("page", f"/p/{number}") for number in range(40)]
    costs = []
    for some in (refs[:1], refs):
        with site.db.read() as session:
            service.states(session, anna.id, some)
            with count_queries(site) as counter:
                assert len(service.states(session, anna.id, some)) == len(some)
        costs.append(len(counter))
    assert costs[0] == costs[1], counter


def test_a_space_may_offer_fewer_reactions_than_the_site(noted):
    core, notes = noted
    space = make_space(core, "garden", visibility="public")
    anna = make_person(core, spaces=[space])
    notes["1"] = {"space_id": space.id}
    notes["2"] = {}
    ref = ObjectRef("notes.note", "1")
    react(core, anna, ref, "bravo")
    with core.db.write() as session:
        core.options.set(session, "likes.reactions_of_spaces", {"garden": ["like", "thanks"]}, Actor("cli"))
    with core.db.read() as session:
        assert [kind.key for kind in service.offered(session, space.id)] == ["like", "thanks"]
        assert service.states(session, anna.id, [ref])[ref].counts == {"bravo": 1}
    with pytest.raises(BadInput, match="like, thanks"):
        react(core, anna, ref, "useful")
    assert react(core, anna, ref, "thanks") == "changed"
    assert react(core, anna, ObjectRef("notes.note", "2"), "useful") == "added"


@pytest.mark.parametrize("value", [None, [], {"garden": "like"}, {"garden": [1]}, {"garden": ["No Key"]}])
def test_a_set_of_a_space_that_makes_no_sense_is_refused(site, value):
    with site.db.write() as session, pytest.raises(BadInput):
        site.options.set(session, "likes.reactions_of_spaces", value, Actor("cli"))


def test_from_the_threshold_on_the_author_is_told_of_everybody(noted):
    from rse_core import notify

    core, notes = noted
    author = make_person(core)
    notes["1"] = {"author_id": author.id}
    ref = ObjectRef("notes.note", "1")
    with core.db.write() as session:
        core.options.set(session, "likes.notify_from", 3, Actor("cli"))
    told = []
    for _ in range(4):
        react(core, make_person(core), ref)
        core.jobs.run_due()
        with core.db.read() as session:
            told.append([notice.actors for notice in notify.of_person(session, author.id)])
    assert told == [[], [], [3], [4]]


def test_an_author_at_inform_is_told_nothing(noted):
    from rse_core import notify

    core, notes = noted
    entity = make_entity(core)
    author = make_person(core, entity=entity)
    set_level(core, "inform", entity=entity)
    notes["1"] = {"author_id": author.id}
    react(core, make_person(core), ObjectRef("notes.note", "1"))
    core.jobs.run_due()
    with core.db.read() as session:
        assert notify.of_person(session, author.id) == []


@pytest.mark.parametrize(("shows", "sees_counts", "sees_names"), [("nothing", 0, 0), ("counts", 1, 0), ("all", 1, 1)])
def test_at_inform_the_site_decides_what_is_seen(rse_core, shows, sees_counts, sees_names):
    core = rse_core([plugin], inform_shows=shows)
    reader, entity = make_person(core), make_entity(core)
    react(core, make_person(core, level="react", entity=entity))
    with core.db.read() as session:
        found = service.states(session, reader.id, [PAGE])
        assert len(found) == sees_counts
        assert [state.names for state in found.values()] == [bool(sees_names)] * sees_counts
        if sees_names:
            assert len(service.who(session, reader.id, PAGE)) == 1
        else:
            with pytest.raises(NotFound):
                service.who(session, reader.id, PAGE)


def test_a_wrong_counter_is_found_and_mended(site, anna, ben):
    react(site, anna)
    react(site, ben, kind="bravo")
    with site.db.write() as session:
        session.get(ReactionCount, (PAGE.type, PAGE.id, "like")).count = 7
        session.delete(session.get(ReactionCount, (PAGE.type, PAGE.id, "bravo")))
    with site.db.write() as session:
        assert not health.check(session).ok
        health.repair(session)
        assert health.check(session).ok
    assert counts(site) == {"like": 1, "bravo": 1}


def test_personal_data_is_exported_and_erased_without_changing_a_count(site, anna):
    react(site, anna, kind="thanks")
    with site.db.write() as session:
        (row,) = personal.export(session, anna.id)
        assert (row["object"], row["reaction"]) == ("page:/news/1", "thanks")
        assert personal.erase(session, anna.id) == 1
        assert list(personal.export(session, anna.id)) == []
        assert health.check(session).ok
    assert counts(site) == {"thanks": 1}


def test_events_are_written_with_the_reaction_or_not_at_all(site, anna):
    def react_and_break():
        with site.db.write() as session:
            service.react(session, anna.id, PAGE, "like")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        react_and_break()
    react(site, anna)
    with site.db.read() as session:
        assert [row.name for row in session.scalars(select(Outbox))] == ["likes.reacted"]
