"""What the search is given of spaces, and what is told of them and taken back."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from rse_communities import changing, creating, inviting, joining, members, objects
from rse_core import audiences, notify
from rse_core.models.organisation import Space
from rse_core.organisation import space_ref


def documents(core, *keys):
    """By key: the audience of what the search keeps, and the texts by which it is found."""
    with core.db.read() as session:
        ids = {key: session.scalars(select(Space.id).where(Space.key == key)).one() for key in keys}
        found = {one.ref.id: one for one in objects.documents(session, [space_ref(ident) for ident in ids.values()])}
        everyone = audiences.everyone(session)
        answer = {}
        for key, ident in ids.items():
            one = found.get(str(ident))
            if one is None:
                answer[key] = None
                continue
            who = {everyone: "everyone", audiences.of_members(session, ident): "members"}[one.audience_id]
            answer[key] = (who, one.title, one.body, one.kind)
        return answer


def told(core, person):
    with core.db.read() as session:
        return sorted(one.type for one in notify.of_person(session, person.id))


def test_the_card_of_a_listed_space_is_found_by_all_and_of_a_secret_one_by_its_members(site, people, open_space):
    keys = [open_space("Jardin", visibility=seen) for seen in ("public", "listed", "secret")]
    with site.db.write() as session:
        creating.change(session, people["olga"].id, keys[1], description="Un **potager** partagé")
        draft = creating.create(session, people["olga"].id, name="Bientôt", kind="team", visibility="listed").key
    found = documents(site, *keys, draft)
    assert [found[key][0] for key in keys] == ["everyone", "everyone", "members"]
    # Before its framing sheet is complete a space is seen by those who make it.
    assert found[draft][0] == "members"
    assert found[keys[1]][1:] == ("Jardin", "To meet\nUn potager partagé", "space")


def test_a_space_that_becomes_secret_is_archived_or_merged_is_found_by_fewer(site, people, open_space):
    hidden, old, gone, target = open_space("Hidden"), open_space("Old"), open_space("Gone"), open_space("Target")
    with site.db.write() as session:
        changing.set_visibility(session, people["olga"].id, hidden, "secret")
        changing.archive(session, people["olga"].id, old)
        merged = session.scalars(select(Space.id).where(Space.key == gone)).one()
        changing.merge(session, people["olga"].id, gone, target)
    found = documents(site, hidden, old, target)
    assert [found[key][0] for key in (hidden, old, target)] == ["members", "members", "everyone"]
    with site.db.read() as session:
        assert list(objects.documents(session, [space_ref(merged)])) == []
        assert str(merged) not in objects.listed(session, None, 100)


def test_every_space_is_listed_once_for_a_rebuilding(site, people, open_space):
    keys = [open_space(f"Space {number}") for number in range(5)]
    with site.db.read() as session:
        ids, after = [], None
        while portion := objects.listed(session, after, 2):
            ids += portion
            after = portion[-1]
        rows = dict(session.execute(select(Space.key, Space.id)).all())
    assert [str(rows[key]) for key in keys] == ids


@pytest.mark.parametrize("end", ["accept", "decline", "revoke"])
def test_an_invitation_that_is_answered_or_taken_back_is_told_of_no_more(site, people, open_space, end):
    key = open_space()
    with site.db.write() as session:
        row = inviting.invite(session, people["olga"].id, key, "sam")
    assert told(site, people["sam"]) == ["communities.invited"]
    with site.db.write() as session:
        if end == "accept":
            inviting.accept(session, people["sam"].id, row.id)
        elif end == "decline":
            inviting.decline(session, people["sam"].id, row.id)
        else:
            inviting.revoke(session, people["olga"].id, key, row.id)
    assert "communities.invited" not in told(site, people["sam"])


def test_a_request_taken_back_or_answered_is_told_of_no_more_to_anybody_who_runs_the_space(site, people, open_space):
    key = open_space(policy="request", members=["mia"])
    with site.db.write() as session:
        members.set_role(session, people["olga"].id, key, people["mia"].id, "admin")
        joining.ask(session, people["sam"].id, key)
    assert "communities.requested" in told(site, people["olga"])
    assert "communities.requested" in told(site, people["mia"])
    with site.db.write() as session:
        joining.take_back(session, people["sam"].id, key)
    assert "communities.requested" not in told(site, people["olga"]) + told(site, people["mia"])
    with site.db.write() as session:
        row = joining.ask(session, people["sam"].id, key)
        joining.answer(session, people["mia"].id, key, row.id, accept=True)
    assert "communities.requested" not in told(site, people["olga"]) + told(site, people["mia"])
    assert told(site, people["sam"]) == ["communities.accepted"]


def test_who_is_put_out_of_a_secret_space_no_longer_reads_what_was_told_of_it(site, people, open_space):
    key = open_space(visibility="secret", members=["mia"])
    assert told(site, people["mia"]) == ["communities.added"]
    with site.db.write() as session:
        changing.archive(session, people["olga"].id, key)
    assert told(site, people["mia"]) == ["communities.added", "communities.archived"]
    with site.db.write() as session:
        changing.unarchive(session, people["olga"].id, key)
        members.remove(session, people["olga"].id, key, people["mia"].id)
    assert "communities.archived" not in told(site, people["mia"])
