"""Notifications: to one, to many and to an audience; once for one cause, not to whom it is not for, taken back with it."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from rse_core import notify, organisation, people, roles, spaces
from rse_core.api import (
    Actor,
    Capability,
    ContentInfo,
    ContentType,
    Level,
    Manifest,
    NotificationType,
    ObjectRef,
    Plugin,
    RseError,
    hookimpl,
)
from rse_core.audiences import everyone, of_entity, of_members
from rse_core.contributions import SpaceChange
from rse_core.models.organisation import Person, Space
from rse_core.models.runtime import NotificationActor, NotificationRow
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level

NOTE = ObjectRef("bulletin.note", "1")


class Bulletin(Plugin):
    """Notes in any audience, and notifications of each sort."""

    manifest = Manifest("bulletin", "Bulletin")

    def __init__(self):
        self.notes = {}

    @hookimpl
    def rse_capabilities(self):
        return [Capability("bulletin.read", "Read", Level.REACT, writes=False)]

    @hookimpl
    def rse_content_types(self):
        def resolve(session, ids):
            found = {}
            for ident in ids:
                if ident in self.notes:
                    values = {"audience_id": everyone(session)} | self.notes[ident]
                    found[ident] = ContentInfo(ObjectRef("bulletin.note", ident), f"Note {ident}", f"/n/{ident}", **values)
            return found

        return [ContentType("bulletin.note", "note", resolve, reads="bulletin.read")]

    @hookimpl
    def rse_notification_types(self):
        def line(count, data):
            return f"{count} on {data.get('title', '')}"

        return [
            NotificationType("bulletin.noted", "Noted", line, capability="bulletin.read"),
            NotificationType("bulletin.named", "Named", line, capability="bulletin.read", personal=True),
            NotificationType("bulletin.decided", "Decided", line),
            NotificationType("bulletin.invited", "Invited", line, stays=True),
        ]


@pytest.fixture
def bulletin():
    return Bulletin()


@pytest.fixture
def site(rse_core, bulletin):
    """A site at REACT with one note for everyone."""
    core = rse_core([bulletin])
    set_level(core, "react")
    bulletin.notes["1"] = {}
    return core


@pytest.fixture
def anna(site):
    return make_person(site, "anna")


@pytest.fixture
def ben(site):
    return make_person(site, "ben")


@pytest.fixture
def cleo(site):
    return make_person(site, "cleo")


def tell(core, who, *, kind="bulletin.noted", ref=NOTE, actor=None, cause="c:1", **values):
    with core.db.write() as session:
        ids = [one.id for one in who]
        actor_id = actor.id if actor else None
        return notify.notify_many(session, ids, kind, ref, actor_id=actor_id, cause=cause, **values)


def announce(core, audience_id=None, *, kind="bulletin.noted", ref=NOTE, actor=None, cause="b:1", **values):
    with core.db.write() as session:
        where = audience_id or everyone(session)
        actor_id = actor.id if actor else None
        return notify.broadcast(session, where, kind, ref, actor_id=actor_id, cause=cause, **values)


def heard(core, person, **values):
    """The list and the bell of a person agree; the list."""
    with core.db.read() as session:
        found = notify.of_person(session, person.id, limit=100, **values)
        if not values:
            assert notify.unread(session, person.id) == len([one for one in found if not one.read])
        return [(one.type.partition(".")[2], str(one.ref), one.actors) for one in found]


NOTED = ("noted", "bulletin.note:1", 1)


def test_many_are_told_at_once_but_not_who_did_it_nor_who_has_left(site, anna, ben, cleo):
    with site.db.write() as session:
        people.disable(session, cleo.id)
    assert tell(site, [anna, ben, cleo], actor=ben) == 1
    assert heard(site, anna) == [NOTED]
    assert heard(site, ben) == heard(site, cleo) == []


def test_the_same_cause_adds_nothing_unread_or_read(site, anna, ben, cleo):
    for again in (1, 0):
        assert tell(site, [anna, cleo], actor=ben) == 2 * again
    with site.db.write() as session:
        assert notify.mark_read(session, anna.id) == 1
    assert tell(site, [anna, cleo], actor=ben) == 0
    assert tell(site, [anna, cleo], actor=ben, cause="c:2") == 2
    assert heard(site, anna) == [NOTED, NOTED]
    assert heard(site, cleo) == [NOTED]


def test_without_a_person_behind_it_a_cause_tells_once_too_and_can_be_taken_back(site, anna):
    for again in (1, 0):
        assert tell(site, [anna], kind="bulletin.decided") == again
    with site.db.write() as session:
        notify.mark_read(session, anna.id)
    assert tell(site, [anna], kind="bulletin.decided") == 0
    assert tell(site, [anna], kind="bulletin.decided", cause="c:2") == 1
    with site.db.write() as session:
        assert notify.withdraw(session, "c:2") == 1
        assert notify.withdraw(session, "c:1") == 0, "what was read stays"
    assert heard(site, anna) == [("decided", "bulletin.note:1", 0)]


def test_unread_ones_of_one_object_are_one_line_with_its_actors(site, anna, ben, cleo):
    tell(site, [anna], actor=ben, data={"a": 1})
    tell(site, [anna], actor=cleo, cause="c:2", data={"b": 2})
    assert heard(site, anna) == [("noted", "bulletin.note:1", 2)]
    with site.db.write() as session:
        (one,) = notify.of_person(session, anna.id)
        assert (one.first_actor_id, one.data) == (cleo.id, {"b": 2})
        assert notify.withdraw(session, "c:2") == 0
        assert [row.actors for row in notify.of_person(session, anna.id)] == [1]
        assert notify.withdraw(session, "c:1") == 1
    assert heard(site, anna) == []


def test_an_unknown_type_is_refused(site, anna):
    with pytest.raises(RseError, match=r"bulletin\.nothing"):
        tell(site, [anna], kind="bulletin.nothing")


def test_whom_the_level_does_not_show_the_object_is_not_told(site, bulletin, anna):
    quiet = make_entity(site, "quiet")
    set_level(site, "inform", entity=quiet)
    low = make_person(site, "low", entity=quiet)
    assert tell(site, [anna, low]) == 1
    assert heard(site, low) == []
    bulletin.notes["2"] = {"state": "pending"}
    bulletin.notes["3"] = {"audience_id": None}
    for ident in ("2", "3", "none"):
        assert tell(site, [anna, low], ref=ObjectRef("bulletin.note", ident), cause=f"c:{ident}") == 0
    assert tell(site, [low], kind="bulletin.decided", cause="d") == 1


def test_the_decision_for_many_is_the_decision_for_each(site, bulletin):
    entities = [make_entity(site, f"e{n}") for n in range(3)]
    set_level(site, "inform", entity=entities[0])
    space = make_space(site, "den")
    everybody = [make_person(site, entity=entities[n % 3], external=n % 7 == 6) for n in range(24)]
    with site.db.write() as session:
        for one in everybody[::2]:
            organisation.join_space(session, space.id, one.id, "external" if one.external else "member")
    set_level(site, "react", space=space)
    with site.db.read() as session:
        inside = of_members(session, space.id)
        below = of_entity(session, entities[1].id)
    places = [{}, {"audience_id": inside, "space_id": space.id}, {"audience_id": below}]
    for number, place in enumerate(places, start=10):
        bulletin.notes[str(number)] = place
        ref = ObjectRef("bulletin.note", str(number))
        tell(site, everybody, ref=ref, cause=f"c:{number}")
        with site.db.read() as session:
            wanted = {one.id for one in everybody if site.policy.can(session, one.id, "bulletin.read", ref)}
            told = set(session.scalars(select(NotificationRow.person_id).where(NotificationRow.ref_id == str(number))))
        assert told == wanted
        assert 0 < len(told) < len(everybody)


@pytest.mark.parametrize("what", ["object", "thread", "space"])
def test_what_is_muted_is_not_heard_but_for_what_names_one_and_what_is_firm(site, bulletin, what):
    space = make_space(site, "den")
    anna, ben = (make_person(site, name, spaces=[space]) for name in ("a", "b"))
    with site.db.read() as session:
        inside = of_members(session, space.id)
    bulletin.notes["1"] = {"audience_id": inside, "space_id": space.id, "parent": ObjectRef("bulletin.note", "0")}
    muted = {
        "object": NOTE, "thread": ObjectRef("bulletin.note", "0"), "space": ObjectRef("communities.space", str(space.id))
    }[what]  # fmt: skip
    with site.db.write() as session:
        notify.mute(session, anna.id, muted)
        assert notify.is_muted(session, anna.id, [muted, ObjectRef("page", "/x")]) == {muted}
        assert notify.muted_by(session, anna.id) == [(muted, "mentions")]
    assert tell(site, [anna, ben]) == 1
    announce(site, inside)
    announce(site, inside, cause="b:2", firm=True)
    assert [kind for kind, _ref, _n in heard(site, anna)] == ["noted"], "the firm one"
    assert len(heard(site, ben)) == 3
    assert tell(site, [anna], cause="f", firm=True) == 1
    assert tell(site, [anna], kind="bulletin.named", cause="n") == 1
    with site.db.write() as session:
        notify.mute(session, anna.id, muted, hears="none")
    assert tell(site, [anna], kind="bulletin.named", cause="n2") == 0
    with site.db.write() as session:
        notify.unmute(session, anna.id, muted)
        assert notify.is_muted(session, anna.id, [muted]) == frozenset()
    assert tell(site, [anna], kind="bulletin.named", cause="n3") == 1
    assert len(heard(site, anna)) == 4, "the broadcast of before is there again"


def test_a_space_that_is_quiet_by_default_is_heard_by_who_asks_for_it(site, bulletin):
    space = make_space(site, "den")
    anna, ben = (make_person(site, name, spaces=[space]) for name in ("a", "b"))
    ref = ObjectRef("communities.space", str(space.id))
    with site.db.write() as session:
        bulletin.notes["1"] = {"audience_id": of_members(session, space.id), "space_id": space.id}
        session.get(Space, space.id).notify = "mentions"
        notify.unmute(session, ben.id, ref)
        assert notify.hears(session, anna.id, [ref]) == {ref: "mentions"}
        assert notify.hears(session, ben.id, [ref]) == {ref: "all"}
    assert tell(site, [anna, ben]) == 1
    assert tell(site, [anna, ben], kind="bulletin.named", cause="n") == 2
    announce(site, bulletin.notes["1"]["audience_id"])
    assert [len(heard(site, one)) for one in (anna, ben)] == [2, 3]


def test_who_wants_none_of_a_type_in_the_page_gets_no_row(site, anna, ben):
    with site.db.write() as session:
        notify.choose(session, anna.id, "bulletin.noted", "page", "none")
    assert tell(site, [anna, ben]) == 1
    announce(site)
    assert heard(site, anna) == []
    assert len(heard(site, ben)) == 2
    with site.db.write() as session:
        notify.choose(session, anna.id, "bulletin.noted", "page", None)
    assert len(heard(site, anna)) == 1


def test_a_select_of_people_is_told_in_pieces(site, monkeypatch):
    everybody = [make_person(site) for _ in range(7)]
    monkeypatch.setattr("rse_core.notify_people.CHUNK", 3)
    with site.db.write() as session:
        done = notify.notify_many(session, select(Person.id), "bulletin.noted", NOTE, actor_id=None, cause="c")
    assert done == len(everybody)
    assert all(heard(site, one) == [("noted", "bulletin.note:1", 0)] for one in everybody)


def test_a_broadcast_is_one_row_shown_to_its_audience_but_not_to_who_made_it(site, anna, ben):
    house = make_entity(site, "house")
    inside = make_person(site, "inside", entity=house)
    with site.db.read() as session:
        audience = of_entity(session, house.id)
    assert announce(site, audience, actor=ben)
    assert not announce(site, audience, actor=ben), "the same cause"
    assert heard(site, inside) == [NOTED]
    assert heard(site, anna) == []
    announce(site, cause="b:2", actor=ben)
    assert heard(site, anna) == [NOTED]
    assert heard(site, ben) == []
    late = make_person(site, "late")
    assert heard(site, late) == [], "made before they were there"
    with site.db.write() as session:
        assert notify.withdraw(session, "b:2") == 1
    assert heard(site, anna) == []


def test_a_broadcast_is_shown_where_the_capability_is_open_now(site, bulletin, anna):
    space = make_space(site, "den", visibility="public")
    member, guest = make_person(site, "member", spaces=[space]), make_person(site, "guest", external=True)
    with site.db.write() as session:
        organisation.join_space(session, space.id, guest.id, "external")
    bulletin.notes["1"] = {"space_id": space.id}
    announce(site)
    assert heard(site, anna) == heard(site, member) == [("noted", "bulletin.note:1", 0)]
    assert heard(site, guest) == [], "what is for everyone is not for who is from outside"
    set_level(site, "inform")
    assert heard(site, anna) == heard(site, member) == []
    set_level(site, "react", space=space)
    assert heard(site, anna) == []
    assert len(heard(site, member)) == 1


def test_rows_of_a_space_that_one_has_left_are_gone_at_once(site, bulletin):
    space = make_space(site, "den")
    anna = make_person(site, "a", spaces=[space])
    with site.db.read() as session:
        bulletin.notes["1"] = {"audience_id": of_members(session, space.id), "space_id": space.id}
    tell(site, [anna])
    assert len(heard(site, anna)) == 1
    with site.db.write() as session:
        organisation.leave_space(session, space.id, anna.id)
    assert heard(site, anna) == []


def test_also_what_asks_for_nothing_leaves_the_list_of_who_is_out_but_for_ones_own_and_what_is_about_oneself(site, bulletin):
    space = make_space(site, "den", visibility="secret")
    anna, ben = make_person(site, "a", spaces=[space]), make_person(site, "b", spaces=[space])
    with site.db.read() as session:
        bulletin.notes["1"] = {"audience_id": of_members(session, space.id), "space_id": space.id, "author_id": ben.id}
    tell(site, [anna, ben], kind="bulletin.decided")
    tell(site, [anna], kind="bulletin.invited", cause="c:2")
    assert len(heard(site, anna)) == 2
    with site.db.write() as session:
        for person in (anna, ben):
            organisation.leave_space(session, space.id, person.id)
    assert [kind for kind, _ref, _actors in heard(site, anna)] == ["invited"]
    assert [kind for kind, _ref, _actors in heard(site, ben)] == ["decided"]
    for person in (anna, ben):
        with site.db.read() as session:
            found = notify.of_person(session, person.id)
            told = notify.lines(session, person.id, found)
        assert len(told) == 1, "the bell counts what the list shows"
        assert (told[0].url is None) is (person is anna)


def test_what_a_public_space_keeps_for_its_members_is_told_to_nobody_else(site, bulletin, anna):
    space = make_space(site, "square", visibility="public")
    member = make_person(site, "member", spaces=[space])
    bulletin.notes["1"] = {"space_id": space.id}
    for number, kind in enumerate(("bulletin.noted", "bulletin.decided")):
        tell(site, [anna, member], kind=kind, cause=f"c:{number}")
    assert len(heard(site, anna)) == len(heard(site, member)) == 2
    with site.db.write() as session:
        organisation.set_space_rule(session, space.id, "bulletin.read", "members")
    assert heard(site, anna) == []
    assert len(heard(site, member)) == 2


def test_who_runs_a_space_by_a_role_hears_of_it(site, bulletin):
    space, anna = make_space(site, "den", visibility="secret"), make_person(site, "animator")
    with site.db.write() as session:
        roles.grant(session, anna.id, "animator", scope="space", scope_id=space.id, actor=Actor("test"))
        members = of_members(session, space.id)
    bulletin.notes["1"] = {"audience_id": members, "space_id": space.id}
    tell(site, [anna])
    announce(site, members, cause="b:9")
    assert len(heard(site, anna)) == 2


def test_what_was_told_moves_with_its_object_and_its_space(site, bulletin):
    old, new = make_space(site, "old"), make_space(site, "new")
    anna = make_person(site, "a", spaces=[old, new])
    with site.db.write() as session:
        before, after = of_members(session, old.id), of_members(session, new.id)
        bulletin.notes["1"] = {"audience_id": before, "space_id": old.id}
    tell(site, [anna])
    announce(site, before)
    with site.db.write() as session:
        notify.mute(session, anna.id, ObjectRef("communities.space", str(old.id)))
        notify.space_changed(session, SpaceChange(old.id, before, after, new.id))
        assert notify.muted_by(session, anna.id) == [(ObjectRef("communities.space", str(new.id)), "mentions")]
        notify.unmute(session, anna.id, ObjectRef("communities.space", str(new.id)))
        organisation.leave_space(session, old.id, anna.id)
    assert len(heard(site, anna)) == 2
    with site.db.write() as session:
        notify.moved(session, NOTE, before, old.id)
    assert heard(site, anna) == []


def test_what_members_were_told_as_a_whole_is_told_to_nobody_else_when_their_space_opens(site, bulletin, anna):
    space = make_space(site, "den")
    member = make_person(site, "member", spaces=[space])
    with site.db.read() as session:
        members = of_members(session, space.id)
    bulletin.notes["1"] = {"audience_id": members, "space_id": space.id}
    announce(site, members)
    with site.db.write() as session:
        change = spaces.change_visibility(session, space.id, "public", actor=Actor("test"))
    bulletin.notes["1"]["audience_id"] = change.audience_after
    assert heard(site, anna) == []
    assert len(heard(site, member)) == 1


def test_reading_one_and_reading_all(site, bulletin, anna, ben):
    for number in range(3):
        bulletin.notes[str(number)] = {}
        announce(site, ref=ObjectRef("bulletin.note", str(number)), cause=f"b:{number}")
        tell(site, [anna, ben], ref=ObjectRef("bulletin.note", str(number)), cause=f"c:{number}")
    with site.db.write() as session:
        keys = [one.key for one in notify.of_person(session, anna.id)]
        mine = [key for key in keys if key[0] == "n"]
        assert notify.mark_read(session, anna.id, [mine[0], "b1", "b1"]) == 2
        assert notify.mark_read(session, anna.id, ["b1"]) == 0
        theirs = next(one.key for one in notify.of_person(session, ben.id) if one.key[0] == "n")
        assert notify.mark_read(session, anna.id, [theirs, "b999", "n999"]) == 0
        assert notify.unread(session, anna.id) == 4
        assert len(notify.of_person(session, anna.id, only_unread=True)) == 4
        assert notify.mark_read(session, anna.id) == 4
        assert notify.unread(session, anna.id) == 0
        assert notify.unread(session, ben.id) == 6
        with pytest.raises(RseError, match="x7"):
            notify.mark_read(session, anna.id, ["x7"])
    announce(site, cause="b:new")
    with site.db.read() as session:
        assert notify.unread(session, anna.id) == 1, "one that came after"


def test_broadcasts_that_have_settled_are_read_by_one_number(site, anna, monkeypatch):
    from rse_core.models.notices import BroadcastMark

    for number in range(3):
        announce(site, cause=f"b:{number}")
    monkeypatch.setattr("rse_core.notify_reading.SETTLED", -notify_minute())
    with site.db.write() as session:
        notify.mark_read(session, anna.id)
        assert session.scalar(select(func.count()).select_from(BroadcastMark)) == 0
        assert notify.unread(session, anna.id) == 0
        assert all(one.read for one in notify.of_person(session, anna.id))


def notify_minute():
    import datetime as dt

    return dt.timedelta(minutes=1)


def test_what_one_hides_is_not_seen_again_by_oneself(site, anna, ben):
    tell(site, [anna, ben])
    announce(site)
    with site.db.write() as session:
        for one in notify.of_person(session, anna.id):
            notify.hide(session, anna.id, one.key)
        assert notify.of_person(session, anna.id) == []
        assert notify.unread(session, anna.id) == 0
        for one in notify.of_person(session, ben.id):
            notify.hide(session, anna.id, one.key)
        assert len(notify.of_person(session, ben.id)) == 2


def test_pages_follow_each_other_without_a_gap_or_a_double(site, bulletin, anna, ben):
    wanted = 0
    for number in range(12):
        bulletin.notes[str(number)] = {}
        ref = ObjectRef("bulletin.note", str(number))
        wanted += 1
        if number % 3:
            tell(site, [anna], ref=ref, cause=f"c:{number}", actor=ben)
        else:
            announce(site, ref=ref, cause=f"b:{number}")
    tell(site, [anna], ref=ObjectRef("bulletin.note", "1"), cause="again")
    with site.db.read() as session:
        seen, before = [], None
        while page := notify.of_person(session, anna.id, before=before, limit=5):
            seen += page
            before = page[-1].place
        assert len({one.key for one in seen}) == len(seen) == wanted
        assert [one.updated_at for one in seen] == sorted((one.updated_at for one in seen), reverse=True)
        assert seen[0].ref.id == "1", "told of again, so it is the newest"


def test_the_bell_is_one_query_and_the_list_three_whatever_there_is(site, bulletin, anna):
    spaces = [make_space(site, members=[anna]) for _ in range(5)]
    counts = []
    for number in range(8):
        bulletin.notes[str(number)] = {}
        ref = ObjectRef("bulletin.note", str(number))
        tell(site, [anna], ref=ref, cause=f"c:{number}")
        announce(site, ref=ref, cause=f"b:{number}")
        with site.db.read() as session:
            bulletin.notes[f"s{number}"] = {
                "audience_id": of_members(session, spaces[number % 5].id), "space_id": spaces[number % 5].id
            }  # fmt: skip
        ref = ObjectRef("bulletin.note", f"s{number}")
        announce(site, bulletin.notes[ref.id]["audience_id"], ref=ref, cause=f"s:{number}")
        with site.db.read() as session:
            notify.unread(session, anna.id)
            with count_queries(site) as bell:
                assert notify.unread(session, anna.id) == 3 * (number + 1)
            with count_queries(site) as listed:
                assert len(notify.of_person(session, anna.id, limit=100)) == 3 * (number + 1)
        counts.append((len(bell), len(listed)))
    assert set(counts) == {(1, 3)}


def test_the_bell_counts_up_to_its_cap(site, anna):
    for number in range(6):
        announce(site, cause=f"b:{number}")
    with site.db.read() as session:
        assert notify.unread(session, anna.id, cap=4) == 4


def test_two_at_once_make_one_unread_line(site, anna, ben, cleo):
    barrier = threading.Barrier(2)
    failed = []

    def like(who):
        try:
            barrier.wait(10)
            with site.db.write() as session:
                notify.notify(session, anna.id, "bulletin.noted", NOTE, actor_id=who.id, cause=f"like:{who.id}")
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=like, args=(who,)) for who in (ben, cleo)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert heard(site, anna) == [("noted", "bulletin.note:1", 2)]


def test_old_ones_are_dropped(site, anna, ben):
    from rse_core.db import utcnow

    tell(site, [anna, ben], actor=make_person(site))
    announce(site)
    with site.db.write() as session:
        notify.mark_read(session, anna.id, [one.key for one in notify.of_person(session, anna.id) if one.key[0] == "n"])
        now, never = utcnow(), utcnow().replace(year=2000)
        assert notify.prune(session, read_before=never, told_before=never) == 0
        assert notify.prune(session, read_before=now + notify_minute(), told_before=never) == 1
        assert notify.prune(session, read_before=now, told_before=now + notify_minute()) == 2
        assert session.scalar(select(func.count()).select_from(NotificationActor)) == 0
