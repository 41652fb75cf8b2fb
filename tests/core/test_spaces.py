"""Spaces that change: visibility, archives, names, merging, splitting; owners; who is told; roles that see."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from rse_core import audiences, organisation, people, policy, roles, spaces
from rse_core.api import Actor, Capability, Level, Manifest, Plugin, SpaceChange, Target, hookimpl
from rse_core.errors import BadInput, Conflict, PluginError
from rse_core.i18n import use_locale
from rse_core.models.governance import Audit, Held
from rse_core.models.notices import Mute
from rse_core.models.organisation import Membership, Space, SpaceMember, SpaceRule
from rse_core.models.runtime import Outbox
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_person, make_space, set_level

ACTOR = Actor("test")


class Board(Plugin):
    """Writes and reads in spaces; remembers what it was told, and fails when it is asked to."""

    manifest = Manifest("board", "Board")

    def __init__(self):
        self.changes: list[SpaceChange] = []
        self.fails = False

    @hookimpl
    def rse_capabilities(self):
        yield Capability("board.read", "Read", Level.INFORM, writes=False)
        yield Capability("board.write", "Write", Level.COMMENT)
        yield Capability("board.run", "Run", Level.COMMENT, default_who="managers")

    @hookimpl
    def rse_space_changed(self, change, session):
        if self.fails:
            raise RuntimeError("no")
        self.changes.append(change)


@pytest.fixture(autouse=True)
def _in_english():
    with use_locale("en"):
        yield


@pytest.fixture
def board():
    return Board()


@pytest.fixture
def rse_plugins(board):
    return [board]


@pytest.fixture
def garden(core):
    set_level(core, "cocreate")
    owner, member, stranger = (make_person(core, name) for name in ("olga", "mia", "sam"))
    space = make_space(core, "garden", members=[member], managers=[owner])
    return space, owner, member, stranger


def in_space(session, space_id):
    return dict(
        session.execute(select(SpaceMember.person_id, SpaceMember.role).where(SpaceMember.space_id == space_id)).all()
    )


def can(core, person, capability, space, at=None):
    with core.db.read() as session:
        target = Target(audiences.of_space(session, space.id), space_id=space.id)
        return policy.can(session, person.id, capability, target, at=at)


def test_an_archived_space_can_be_read_and_not_written_to(core, garden):
    space, _owner, member, stranger = garden
    with core.db.write() as session:
        assert spaces.archive(session, space.id, actor=ACTOR, why="over")
        assert not spaces.archive(session, space.id, actor=ACTOR)
    refused = can(core, member, "board.write", space)
    assert (str(refused.reason), refused.allowed) == ("archived", False)
    with use_locale("en"):
        assert str(refused.message) == "This space is archived: what is in it can be read."
    with use_locale("fr"):
        assert str(refused.message).startswith("Cet espace est archivé")
    assert can(core, member, "board.read", space)
    assert str(can(core, stranger, "board.write", space).reason) == "unknown_object"
    with core.db.write() as session, pytest.raises(Conflict, match="archived"):
        organisation.join_space(session, space.id, stranger.id)
    with core.db.write() as session:
        assert spaces.unarchive(session, space.id, actor=ACTOR)
    assert can(core, member, "board.write", space)
    with core.db.read() as session:
        acts = session.scalars(select(Audit.act).order_by(Audit.id)).all()
    assert acts == ["space.archive", "space.unarchive"]


def test_the_last_owner_neither_leaves_nor_is_lowered(core, garden):
    space, owner, member, _stranger = garden
    for act in (
        lambda s: organisation.leave_space(s, space.id, owner.id),
        lambda s: organisation.join_space(s, space.id, owner.id, "member"),
    ):
        with core.db.write() as session, pytest.raises(Conflict, match="without an owner"):
            act(session)
    with core.db.write() as session:
        organisation.join_space(session, space.id, member.id, "owner")
        people.disable(session, member.id)
    # An owner who has left the organisation does not count.
    with core.db.write() as session, pytest.raises(Conflict, match="without an owner"):
        organisation.leave_space(session, space.id, owner.id)
    with core.db.write() as session:
        people.enable(session, member.id)
        assert organisation.leave_space(session, space.id, owner.id)


def test_two_owners_who_leave_at_once_leave_one(core):
    first, second = make_person(core, "first"), make_person(core, "second")
    space = make_space(core, managers=[first, second])
    gate, refused = threading.Barrier(2), []

    def leave(person):
        gate.wait()
        try:
            with core.db.write() as session:
                organisation.leave_space(session, space.id, person.id)
        except Conflict:
            refused.append(person)

    threads = [threading.Thread(target=leave, args=(person,)) for person in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    with core.db.read() as session:
        assert in_space(session, space.id) == {refused[0].id: "owner"}


def test_somebody_from_outside_has_no_other_role_than_external(core, garden):
    space = garden[0]
    guest = make_person(core, "guest", external=True)
    with core.db.write() as session, pytest.raises(BadInput, match="outside"):
        organisation.join_space(session, space.id, guest.id, "writer")
    with core.db.write() as session:
        assert spaces.add_members(session, space.id, [guest.id], role="writer") == [guest.id]
        assert in_space(session, space.id)[guest.id] == "external"


def test_a_new_visibility_moves_what_stands_in_the_space(core, board, garden):
    space, _owner, member, stranger = garden
    with core.db.write() as session:
        members, everyone = audiences.of_members(session, space.id), audiences.everyone(session)
        session.add(Held(ref_type="x", ref_id="1", capability="board.write", audience_id=members, space_id=space.id))
    with core.db.read() as session:
        reach = spaces.preview_visibility(session, space.id, "public", names=5)
    assert (reach.before, reach.after, reach.gain, reach.lose, reach.losing) == (2, 3, 1, 0, ())
    with core.db.write() as session:
        change = spaces.change_visibility(session, space.id, "public", actor=ACTOR)
        assert spaces.change_visibility(session, space.id, "public", actor=ACTOR) is None
    assert change == SpaceChange(space.id, members, everyone)
    assert board.changes == [change]
    assert can(core, stranger, "board.read", space)
    with core.db.read() as session:
        assert session.scalar(select(Held.audience_id)) == everyone
        reach = spaces.preview_visibility(session, space.id, "secret", names=5)
        assert (reach.gain, reach.lose, reach.losing) == (0, 1, (stranger.display_name,))
    with core.db.write() as session:
        spaces.change_visibility(session, space.id, "secret", actor=ACTOR)
        # Only its name is hidden more than before: nothing moves.
        assert spaces.change_visibility(session, space.id, "listed", actor=ACTOR) is None
    assert len(board.changes) == 2
    assert not can(core, stranger, "board.read", space)
    with core.db.read() as session:
        told = session.scalars(select(Outbox.data).where(Outbox.name == "space.changed").order_by(Outbox.id)).all()
    assert [one["after"]["visibility"] for one in told] == ["public", "secret", "listed"]


def test_a_plugin_that_cannot_move_its_rows_undoes_the_change(core, board, garden):
    space, _owner, _member, stranger = garden
    board.fails = True
    with pytest.raises(PluginError, match="board"), core.db.write() as session:
        spaces.change_visibility(session, space.id, "public", actor=ACTOR)
    with core.db.read() as session:
        assert session.get_one(Space, space.id).visibility == "listed"
    assert not can(core, stranger, "board.read", space)


def test_a_preview_costs_the_same_for_few_and_for_many(core):
    def cost(count):
        space = make_space(core, managers=[make_person(core)], members=[make_person(core) for _ in range(count)])
        with core.db.read() as session, count_queries(core) as queries:
            spaces.preview_visibility(session, space.id, "public", names=5)
        return len(queries)

    assert cost(1) == cost(12)


def test_a_renamed_space_is_found_by_its_former_keys(core, garden):
    space = garden[0]
    other = make_space(core, "park")
    with core.db.write() as session:
        spaces.rename(session, space.id, name="The garden", key="jardin", actor=ACTOR)
        spaces.rename(session, space.id, key="verger", actor=ACTOR)
    with core.db.read() as session:
        found = [spaces.by_key(session, key) for key in ("garden", "jardin", "verger", "park", "none")]
        assert [one and one.id for one in found] == [space.id, space.id, space.id, other.id, None]
    # Nobody else takes a former key; its own space takes it back.
    for act in (
        lambda s: organisation.add_space(s, "garden", "X"),
        lambda s: spaces.rename(s, other.id, key="garden", actor=ACTOR),
        lambda s: spaces.rename(s, other.id, key="verger", actor=ACTOR),
    ):
        with core.db.write() as session, pytest.raises(Conflict, match="taken"):
            act(session)
    with core.db.write() as session:
        spaces.rename(session, space.id, key="garden", actor=ACTOR)
    with core.db.read() as session:
        assert spaces.by_key(session, "verger").id == spaces.by_key(session, "garden").id == space.id


def test_merging_moves_members_with_the_lower_role_and_all_that_stands_there(core, board, garden):
    target, owner, member, _stranger = garden
    boss, both = make_person(core, "boss"), make_person(core, "both")
    guest = make_person(core, "guest", external=True)
    source = make_space(core, "shed", visibility="secret", managers=[boss])
    with core.db.write() as session:
        organisation.join_space(session, source.id, both.id, "admin")
        organisation.join_space(session, target.id, both.id, "member")
        organisation.join_space(session, source.id, guest.id, "external")
        roles.grant(session, boss.id, "animator", scope="space", scope_id=source.id, actor=ACTOR)
        spaces.rename(session, source.id, key="hut", actor=ACTOR)
        before = audiences.of_members(session, source.id)
        session.add(Held(ref_type="x", ref_id="1", capability="board.write", audience_id=before, space_id=source.id))
    with core.db.read() as session:
        reach = spaces.preview_merge(session, source.id, target.id, names=3)
    assert (reach.before, reach.after, reach.gain, reach.lose) == (3, 5, 2, 0)
    with core.db.write() as session:
        change = spaces.merge(session, source.id, target.id, actor=ACTOR)
    assert board.changes == [change]
    assert (change.audience_before, change.into) == (before, target.id)
    with core.db.read() as session:
        assert in_space(session, target.id) == {
            owner.id: "owner", member.id: "member", both.id: "member", boss.id: "writer", guest.id: "external",
        }  # fmt: skip
        assert in_space(session, source.id) == {}
        assert session.scalars(select(Membership.person_id).where(Membership.audience_id == before)).all() == []
        held = session.execute(select(Held.space_id, Held.audience_id)).one()
        assert tuple(held) == (target.id, audiences.of_members(session, target.id))
        assert {spaces.by_key(session, key).id for key in ("hut", "shed", "garden")} == {target.id}
        assert session.get_one(Space, source.id).merged_into == target.id
    for act in (spaces.unarchive, lambda s, i, actor: spaces.merge(s, i, target.id, actor=actor)):
        with core.db.write() as session, pytest.raises(Conflict):
            act(session, source.id, actor=ACTOR)
    with core.db.write() as session, pytest.raises(BadInput):
        spaces.merge(session, target.id, target.id, actor=ACTOR)


def test_splitting_makes_a_space_of_some_members_under_the_same_rules(core, garden):
    space, owner, member, stranger = garden
    with core.db.write() as session:
        organisation.set_space_rule(session, space.id, "board.write", "managers")
        core.plugins.disable(session, "board", ACTOR, "space", space.id)
    with core.db.write() as session, pytest.raises(BadInput):
        spaces.split(session, space.id, key="plot", name="Plot", people=[], owner_id=stranger.id, actor=ACTOR)
    with core.db.write() as session:
        made = spaces.split(
            session, space.id, key="plot", name="Plot", people=[owner.id, stranger.id], owner_id=member.id,
            actor=ACTOR, leaving=True,
        )  # fmt: skip
    with core.db.read() as session:
        assert in_space(session, made.id) == {owner.id: "owner", member.id: "owner"}
        assert in_space(session, space.id) == {owner.id: "owner"}
        assert session.get_one(SpaceRule, (made.id, "board.write")).who == "managers"
        assert audiences.sees(session, member.id, audiences.of_members(session, made.id))
    assert str(can(core, member, "board.write", made).reason) == "plugin_off"


def test_many_are_added_and_removed_in_a_fixed_number_of_statements(core, garden):
    space, owner, _member, _stranger = garden
    crowd = [make_person(core) for _ in range(40)]
    gone = make_person(core, "gone")
    with core.db.write() as session:
        people.disable(session, gone.id)

    def cost(some):
        with core.db.write() as session, count_queries(core) as queries:
            added = spaces.add_members(session, space.id, [p.id for p in some])
        assert set(added) == {p.id for p in some} - {gone.id}
        with core.db.write() as session:
            assert set(spaces.remove_members(session, space.id, [owner.id, *added])) == set(added)
        return len(queries)

    assert cost([crowd[0], gone]) == cost([*crowd, gone])
    with core.db.read() as session:
        assert in_space(session, space.id).get(owner.id) == "owner"


def test_who_hears_of_every_post_follows_the_space_and_their_own_choice(core, garden):
    space, owner, member, _stranger = garden
    ref = organisation.space_ref(space.id)

    def hear():
        with core.db.read() as session:
            return set(session.scalars(spaces.listeners(session, space.id)))

    assert hear() == set()
    with core.db.write() as session:
        session.add(Mute(person_id=member.id, ref_type=ref.type, ref_id=ref.id, hears="all"))
    assert hear() == {member.id}
    with core.db.write() as session:
        spaces.set_notify(session, space.id, "all", actor=ACTOR)
    assert hear() == {owner.id, member.id}
    with core.db.write() as session:
        session.get_one(Mute, (member.id, ref.type, ref.id)).hears = "none"
        people.disable(session, owner.id)
    assert hear() == set()


def test_who_animates_or_moderates_a_space_by_a_role_sees_what_is_in_it(core, garden):
    space, _owner, _member, stranger = garden
    assert str(can(core, stranger, "board.read", space).reason) == "unknown_object"
    with core.db.write() as session:
        for role in ("animator", "moderator"):
            roles.grant(session, stranger.id, role, scope="space", scope_id=space.id, actor=ACTOR)
        audience = audiences.of_members(session, space.id)
        assert audiences.sees(session, stranger.id, audience)
    assert can(core, stranger, "board.run", space)
    with core.db.write() as session:
        organisation.join_space(session, space.id, stranger.id)
        roles.revoke(session, stranger.id, "animator", scope="space", scope_id=space.id, actor=ACTOR)
        organisation.leave_space(session, space.id, stranger.id)
        assert audiences.sees(session, stranger.id, audience)
        roles.revoke(session, stranger.id, "moderator", scope="space", scope_id=space.id, actor=ACTOR)
        assert not audiences.sees(session, stranger.id, audience)
    assert str(can(core, stranger, "board.read", space).reason) == "unknown_object"


def test_what_a_role_may_do_is_explained_without_a_person_who_has_it(core, garden):
    space, owner, _member, stranger = garden
    cases = {
        ("owner", "board.run"): "ok", ("member", "board.run"): "role", ("external", "board.run"): "role",
        ("external", "board.read"): "ok", ("member", "board.write"): "ok", (None, "board.read"): "unknown_object",
    }  # fmt: skip
    with core.db.read() as session:
        for like in (owner, stranger):
            for (role, capability), reason in cases.items():
                verdict = spaces.explain_role(session, space.id, role, capability, like=like.id)
                assert str(verdict.reason) == reason, (role, capability)
                assert {step.rule for step in verdict.steps} >= {"object", "level", "role", "archived"}


def test_people_who_leave_and_come_back_are_told_of_once(core):
    person = make_person(core)
    with core.db.write() as session:
        people.disable(session, person.id)
        people.disable(session, person.id)
        people.enable(session, person.id)
    with core.db.read() as session:
        told = session.execute(select(Outbox.name, Outbox.data).where(Outbox.name.startswith("people."))).all()
    assert [tuple(one) for one in told] == [
        ("people.disabled", {"person": person.id}),
        ("people.enabled", {"person": person.id}),
    ]
