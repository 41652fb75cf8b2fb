"""What a leaver leaves: seen by whom, taken over by whom, once, and taken back."""

from __future__ import annotations

import threading

import pytest
from handover_people import as_actor, leave, write
from sqlalchemy import select, update

from rse_communities import succession
from rse_communities.models import Profile
from rse_core import handover, handover_acts, organisation, people, privacy
from rse_core.api import Actor, BadInput, Conflict, Forbidden, NotFound, utcnow
from rse_core.models.governance import Audit
from rse_core.models.handover import Handover
from rse_core.models.organisation import Person, SpaceMember
from rse_core.models.runtime import NotificationRow
from rse_core.testing.organisation import make_person, make_space
from rse_core.testing.queries import count_queries
from rse_feed import access, drafting, publishing, reading
from rse_feed.models import Post
from rse_feed.texts import Written
from rse_kanban.models import BoardRole, CardPerson


def see(there, actor, username="lea"):
    """Place → kind → number, as far as the actor may hand it over."""
    with there.core.db.read() as session:
        found = handover.leaving(session, username, actor)
    return {
        one.spot.key: {part.kind: part.count for part in one.portions if part.allowed} for one in found.places
    }


def give(there, actor, to="tom", place="space:garden", username="lea"):
    with there.core.db.write() as session:
        return handover_acts.give(session, username, {place: to}, actor=actor)


def owner_of(there, post_id):
    with there.core.db.read() as session:
        return session.get_one(Post, post_id).owner_id


def test_what_there_is_by_place_and_kind_without_drafts_and_boards_of_ones_own(there):
    assert see(there, as_actor(there.ada)) == {
        "space:garden": {"communities.roles": 1, "feed.posts": 3, "kanban.boards": 1, "kanban.cards": 2},
        "space:vault": {"feed.posts": 1},
        "everyone": {"feed.posts": 1},
    }


def test_who_may_see_what(there):
    assert set(see(there, as_actor(there.eve))) == {"space:garden", "everyone"}, "no secret space to who is not in it"
    assert set(see(there, as_actor(there.olga))) == {"space:vault"}, "who runs a space, there"
    assert see(there, as_actor(there.max)) == {
        "space:garden": {"feed.posts": 3, "kanban.boards": 1, "kanban.cards": 2}
    }, "a moderator does not give on the place of an owner"
    for other in (there.tom, there.sam, there.zoe, there.ext):
        with pytest.raises(NotFound, match="nobody of this name"):
            see(there, as_actor(other))


@pytest.mark.parametrize("username", ["nobody", "lea"])
def test_a_stranger_learns_nothing_of_who_there_is(there, username):
    with pytest.raises(NotFound) as error:
        see(there, as_actor(there.sam), username)
    assert "Did you mean" not in str(error.value)


def test_the_taker_has_the_authors_rights_and_the_author_stays(there):
    (done,) = give(there, as_actor(there.ada))
    assert {part.kind: part.count for part in done.portions} == {
        "communities.roles": 1, "feed.posts": 3, "kanban.boards": 1, "kanban.cards": 2
    }  # fmt: skip
    with there.core.db.write() as session:
        post = session.get_one(Post, there.posts[0])
        assert (post.author_id, post.owner_id) == (there.lea.id, there.tom.id)
        drafting.edit(session, there.tom.id, post.id, Written(body="Bonjour à tous"), version=post.version)
        line = reading.one(session, there.tom.id, post.id)
        assert (line.who, line.rights.edit, line.rights.delete) == ("Léa Partie", True, True)
        other = reading.one(session, there.sam.id, post.id)
        assert (other.rights.mine, other.rights.edit) == (False, False)
        assert [one.id for one in reading.mine(session, there.tom.id)[0]] == [there.planned]
        access.readable(session, there.tom.id, there.planned)
        publishing.delete(session, there.tom.id, there.posts[1])
        assert succession.orphans(session, there.ada.id) == [], "the space has an owner"
        assert set(session.scalars(select(CardPerson.person_id))) == {there.tom.id}
        assert session.get(BoardRole, (there.board, "person", there.tom.id)).role == "manager"


def test_drafts_stay_hidden_from_the_taker(there):
    give(there, as_actor(there.ada))
    with there.core.db.read() as session, pytest.raises(NotFound):
        access.readable(session, there.tom.id, there.draft)


def test_a_planned_post_appears_by_who_took_it_over(there):
    give(there, as_actor(there.ada))
    with there.core.db.write() as session:
        session.execute(update(Post).where(Post.id == there.planned).values(publish_at=utcnow()))
    with there.core.db.write() as session:
        publishing.publish_due(session)
    with there.core.db.read() as session:
        post = session.get_one(Post, there.planned)
        assert (post.state, post.author_id) == ("published", there.lea.id)


def test_what_came_back_as_a_draft_since_its_author_left_is_handed_over_too(there):
    with there.core.db.write() as session:
        session.execute(update(Post).where(Post.id == there.planned).values(publish_at=utcnow()))
        publishing.publish_due(session)
        assert session.get_one(Post, there.planned).state == "draft"
    assert see(there, as_actor(there.ada))["space:garden"]["feed.posts"] == 3
    give(there, as_actor(there.ada))
    assert owner_of(there, there.planned) == there.tom.id
    assert owner_of(there, there.draft) is None


def test_who_no_longer_reads_there_no_longer_keeps_it(there):
    give(there, as_actor(there.ada), place="space:vault")
    with there.core.db.write() as session:
        assert access.readable(session, there.tom.id, there.hidden_away)
        organisation.leave_space(session, there.vault.id, there.tom.id)
    with there.core.db.write() as session:
        with pytest.raises((NotFound, Forbidden)):
            access.readable(session, there.tom.id, there.hidden_away)
        with pytest.raises((NotFound, Forbidden)):
            drafting.edit(session, there.tom.id, there.hidden_away, Written(body="x"), version=1)
        with pytest.raises((NotFound, Forbidden)):
            publishing.delete(session, there.tom.id, there.hidden_away)


@pytest.mark.parametrize("to", ["sam", "ext", "lea", "nobody", "gone"])
def test_who_cannot_take_over(there, to):
    leave(there, make_person(there.core, "gone", spaces=[there.vault]))
    with pytest.raises(BadInput) as error:
        give(there, as_actor(there.ada), to=to, place="space:vault")
    assert list(error.value.fields) == ["to:space:vault"]
    assert owner_of(there, there.hidden_away) is None


def test_nothing_is_handed_over_anywhere_when_one_place_is_refused(there):
    with there.core.db.write() as session, pytest.raises(BadInput):
        handover_acts.give(session, "lea", {"space:garden": "tom", "space:vault": "sam"}, actor=as_actor(there.ada))
    assert owner_of(there, there.posts[0]) is None


def test_a_place_beyond_ones_rights_is_none(there):
    for actor, place in (
        (there.eve, "space:vault"), (there.max, "space:vault"), (there.max, "everyone"), (there.olga, "space:garden"),
        (there.ada, "space:none"), (there.ada, "entity:none"), (there.ada, "rubbish"),
    ):  # fmt: skip
        with pytest.raises(NotFound, match="There is no place"):
            give(there, as_actor(actor), place=place)


def test_a_moderator_does_not_make_an_owner_by_way_of_a_leaver(there):
    (done,) = give(there, as_actor(there.max), to="max")
    assert "communities.roles" not in {part.kind for part in done.portions}
    assert [part.kind for part in done.held_back] == ["communities.roles"]
    with there.core.db.read() as session:
        assert session.get_one(SpaceMember, (there.garden.id, there.max.id)).role == "moderator"


def test_twice_is_once(there):
    give(there, as_actor(there.ada))
    (again,) = give(there, as_actor(there.ada))
    assert (again.count, again.id) == (0, None)
    with there.core.db.read() as session:
        assert len(session.scalars(select(Handover)).all()) == 1
        told = session.scalars(select(NotificationRow).where(NotificationRow.type == "core.handover")).all()
        assert [row.person_id for row in told] == [there.tom.id]
        (line,) = session.scalars(select(Audit).where(Audit.act == "people.handover"))
        assert line.after["counts"]["feed.posts"] == 3
        assert "tom" not in str(line.after), "ids alone outlast an account"


def test_two_at_once_hand_it_over_once(there):
    done, errors = [], []

    def act(to):
        try:
            done.append(give(there, as_actor(there.ada), to=to)[0].count)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=act, args=(to,)) for to in ("tom", "sam")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (errors, sorted(done)) == ([], [0, 7])


def test_who_is_here_hands_over_nothing(there):
    with pytest.raises(Conflict, match="has not left"):
        give(there, as_actor(there.ada), username="tom", to="sam")


def test_taking_it_back_brings_back_what_was(there):
    (done,) = give(there, as_actor(there.ada))
    with there.core.db.write() as session:
        people.enable(session, there.lea.id)
    with there.core.db.write() as session:
        assert handover_acts.take_back(session, done.id, actor=as_actor(there.ada)) == 7
        assert handover_acts.take_back(session, done.id, actor=as_actor(there.ada)) == 0, "twice is once"
    with there.core.db.read() as session:
        assert set(session.scalars(select(Post.owner_id))) == {None}
        rows = select(SpaceMember.person_id, SpaceMember.role).where(SpaceMember.space_id == there.garden.id)
        roles = {person: role for person, role in session.execute(rows)}
        assert (roles[there.lea.id], roles[there.tom.id]) == ("owner", "member")
        working = {(row[0], row[1]) for row in session.execute(select(CardPerson.card_id, CardPerson.person_id))}
        assert working == {
            (there.card, there.lea.id), (there.shared_card, there.lea.id), (there.shared_card, there.tom.id)
        }  # fmt: skip
        assert session.get(BoardRole, (there.board, "person", there.lea.id)).role == "manager"
        assert session.get(BoardRole, (there.board, "person", there.tom.id)) is None
        assert session.scalar(select(NotificationRow.id).where(NotificationRow.type == "core.handover")) is None


def test_a_space_is_not_left_without_an_owner_by_taking_back(there):
    (done,) = give(there, as_actor(there.ada))
    with there.core.db.write() as session:
        handover_acts.take_back(session, done.id, actor=as_actor(there.ada))
        assert session.get_one(SpaceMember, (there.garden.id, there.tom.id)).role == "owner", "nobody else is here"
        assert session.get_one(SpaceMember, (there.garden.id, there.lea.id)).role == "owner"


def test_others_do_not_take_it_back(there):
    (done,) = give(there, as_actor(there.ada))
    (vault,) = give(there, as_actor(there.ada), place="space:vault")
    for actor, ident in ((there.tom, vault.id), (there.eve, vault.id), (there.zoe, done.id), (there.ada, 10**6)):
        with there.core.db.write() as session, pytest.raises(NotFound):
            handover_acts.take_back(session, ident, actor=as_actor(actor))
    with there.core.db.write() as session, pytest.raises(Forbidden):
        handover_acts.take_back(session, done.id, actor=as_actor(there.max))


def test_who_is_back_writes_on_as_the_author(there):
    give(there, as_actor(there.ada))
    with there.core.db.write() as session:
        people.enable(session, there.lea.id)
    with there.core.db.write() as session:
        post = session.get_one(Post, there.posts[0])
        drafting.edit(session, there.lea.id, post.id, Written(body="Me revoilà"), version=post.version)
    with there.core.db.read() as session:
        found = handover.leaving(session, "lea", as_actor(there.ada))
        assert (found.here, found.places, len(found.kept)) == (True, (), 1)


def test_what_was_taken_over_is_handed_on_and_never_kept_by_its_own_author(there):
    give(there, as_actor(there.ada))
    with there.core.db.write() as session:
        people.enable(session, there.lea.id)
    leave(there, there.tom)
    assert see(there, as_actor(there.ada), "tom")["space:garden"]["feed.posts"] == 3
    give(there, as_actor(there.ada), username="tom", to="lea")
    assert {owner_of(there, one) for one in (*there.posts, there.planned)} == {None}


def test_in_all_places_of_which_somebody_is(there):
    with there.core.db.write() as session:
        choices, rest = handover_acts.for_all(session, "lea", "sam", actor=Actor("cli:root"))
        assert (set(choices), [one.spot.key for one in rest]) == ({"space:garden", "everyone"}, ["space:vault"])
        with pytest.raises(BadInput):
            handover_acts.for_all(session, "lea", "nobody", actor=Actor("cli:root"))


def test_proposed_are_those_who_run_the_space_and_the_manager(there):
    with there.core.db.write() as session:
        session.get_one(Person, there.lea.id).manager_id = there.sam.id
    with there.core.db.read() as session:
        found = handover.leaving(session, "lea", as_actor(there.ada))
    names = {one.spot.key: [card.username for card in one.proposed] for one in found.places}
    assert names == {"space:garden": ["max", "sam"], "space:vault": ["olga"], "everyone": ["sam"]}


def test_the_number_of_queries_is_the_same_for_many_places(there):
    with there.core.db.read() as session, count_queries(there.core) as few:
        handover.leaving(session, "lea", as_actor(there.ada))
    with there.core.db.write() as session:
        people.enable(session, there.lea.id)
    for number in range(6):
        make_space(there.core, f"more-{number}", members=[there.lea, there.tom], managers=[there.olga])
        write(there, there.lea, "Encore", audience=f"space:more-{number}")
    leave(there, there.lea)
    with there.core.db.read() as session, count_queries(there.core) as many:
        found = handover.leaving(session, "lea", as_actor(there.ada))
    assert len(found.places) == 9
    assert len(many) == len(few), str(many)
    with there.core.db.read() as session, count_queries(there.core) as planning:
        handover_acts.plan(session, "lea", {"space:garden": "tom"}, actor=as_actor(there.ada))
    assert len(planning) < 25, str(planning)


def test_leavers_listed_for_whom_they_concern(there):
    def listed(person, key=""):
        with there.core.db.read() as session:
            return [one.person.username for one in handover.leavers(session, person.id, space_key=key)]

    assert listed(there.ada) == listed(there.eve) == listed(there.max) == listed(there.olga, "vault") == ["lea"]
    assert listed(there.zoe) == []
    with pytest.raises(Forbidden):
        listed(there.sam)
    for person in (there.max, there.eve):
        with pytest.raises(NotFound):
            listed(person, "vault")


def test_an_erased_taker_keeps_nothing_and_an_erased_author_leaves_what_is_kept(there):
    give(there, as_actor(there.ada))
    with there.core.db.read() as session:
        sections = {one["name"]: one["rows"] for one in privacy.export(session, there.tom.id)["sections"]}
    assert [row["state"] for row in sections["feed.posts"] if row.get("kept")] == ["published", "published", "scheduled"]
    assert "Bonjour" not in str(sections["feed.posts"]), "others wrote it"
    assert len(sections["core.handovers"]) == 1
    with there.core.db.write() as session:
        privacy.erase(session, there.lea.id, actor=Actor("test"))
    with there.core.db.read() as session:
        planned = session.get_one(Post, there.planned)
        assert (planned.author_id, planned.owner_id) == (None, there.tom.id)
        assert session.get(Post, there.draft) is None
        with pytest.raises(NotFound):
            handover.leaving(session, f"erased-{there.lea.id}", as_actor(there.ada))
    with there.core.db.write() as session:
        privacy.erase(session, there.tom.id, actor=Actor("test"))
    with there.core.db.read() as session:
        assert set(session.scalars(select(Post.owner_id))) == {None}
        assert session.scalar(select(Handover.id)) is None


def test_the_deputy_comes_first(there):
    with there.core.db.write() as session:
        session.add(Profile(space_id=there.garden.id, folded="le jardin", deputy_id=there.sam.id, contact_id=there.lea.id))
    assert see(there, as_actor(there.ada))["space:garden"]["communities.roles"] == 2
    with there.core.db.read() as session:
        found = handover.leaving(session, "lea", as_actor(there.ada))
    assert found.places[1].proposed[0].username == "sam"
    give(there, as_actor(there.ada), to="sam")
    with there.core.db.read() as session:
        profile = session.get_one(Profile, there.garden.id)
        assert profile.contact_id == there.sam.id
