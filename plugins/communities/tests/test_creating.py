"""Making a space, preparing it, opening it, changing what it says of itself."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from rse_communities import access, creating, framing, members
from rse_communities.models import Profile
from rse_core import audiences, organisation, policy, roles
from rse_core.api import Actor, Target
from rse_core.errors import BadInput, Conflict, Forbidden, NotFound
from rse_core.models.governance import ReviewRule
from rse_core.models.organisation import Space, SpaceRule
from rse_core.models.runtime import Outbox
from rse_core.testing.organisation import make_entity, make_person


def rules(core, key):
    with core.db.read() as session:
        rows = (
            select(SpaceRule.capability, SpaceRule.who).join(Space, Space.id == SpaceRule.space_id).where(Space.key == key)
        )
        return dict(session.execute(rows).all())


def make(core, person, **values):
    with core.db.write() as session:
        return creating.create(session, person.id, **{"name": "The garden", "kind": "team", **values}).key


def test_a_space_is_its_makers_alone_until_it_opens(site, people, space_of):
    key = make(site, people["olga"], visibility="public")
    assert space_of(key).visibility == "secret"
    with site.db.read() as session:
        seat = access.find(session, people["olga"].id, key)
        assert (seat.role, seat.profile.state, seat.profile.wanted, seat.profile.members) == (
            "owner",
            "preparing",
            "public",
            1,
        )
        with pytest.raises(NotFound, match="no such space"):
            access.find(session, people["sam"].id, key)


def test_it_opens_with_a_complete_sheet_only_and_its_answers_are_the_rules(site, people, space_of, sheet):
    key, olga = make(site, people["olga"]), people["olga"]
    with site.db.write() as session, pytest.raises(BadInput, match="not complete") as refused:
        framing.open_space(session, olga.id, key)
    assert set(refused.value.fields) == {"posts", "likes", "comments", "moderates", "purpose"}
    with site.db.write() as session:
        framing.save(session, olga.id, key, {**sheet, "moderates": "before"})
        assert session.get(ReviewRule, ("space", space_of(key).id)) is not None
        framing.open_space(session, olga.id, key)
    with site.db.write() as session, pytest.raises(Conflict, match="open already"):
        framing.open_space(session, olga.id, key)
    with site.db.read() as session:
        assert access.find(session, people["sam"].id, key).profile.purpose == "To meet"
        event = session.scalar(select(Outbox).where(Outbox.name == "communities.opened"))
        assert event.audience_id == audiences.of_space(session, space_of(key).id)


def test_a_public_space_moves_what_was_written_while_it_was_prepared(site, people, space_of, sheet):
    key = make(site, people["olga"], kind="information")
    with site.db.write() as session:
        framing.save(session, people["olga"].id, key, sheet)
        framing.open_space(session, people["olga"].id, key)
        assert audiences.of_space(session, space_of(key).id) == audiences.everyone(session)


def test_each_kind_brings_its_template(site, people):
    # Capabilities of plugins that are not installed are left out.
    assert rules(site, make(site, people["olga"], kind="community")) == {"communities.invite": "members"}
    assert rules(site, make(site, people["olga"], kind="team")) == {"communities.invite": "managers"}
    with site.db.write() as session, pytest.raises(BadInput):
        creating.create(session, people["olga"].id, name="X", kind="club")


def test_whoever_is_below_the_level_cannot_make_one(site):
    low = make_person(site, "low", entity=make_entity(site, "low"))
    from rse_core.testing.organisation import set_level

    set_level(site, "collaborate", entity=_entity(site, low))
    with site.db.write() as session, pytest.raises(Forbidden) as refused:
        creating.create(session, low.id, name="Mine", kind="team")
    assert str(refused.value.decision.reason) == "level"


def _entity(core, person):
    from rse_core.models.organisation import Entity

    with core.db.read() as session:
        return session.get_one(Entity, person.entity_id)


def test_the_same_form_sent_twice_makes_one_space(site, people):
    keys = {make(site, people["olga"], key="once") for _ in range(2)}
    assert len(keys) == 1
    with site.db.write() as session, pytest.raises(Conflict):
        creating.create(session, people["olga"].id, name="Another", kind="team", key="once")


def test_keys_tell_nothing_of_what_exists(site, people):
    first = make(site, people["olga"], name="Jardin Œuvré !")
    second = make(site, people["sam"], name="Jardin Œuvré !")
    assert first != second
    # Every key has an ending of its own, taken name or not.
    assert all(key.startswith("jardin-oeuvre-") and len(key) == len("jardin-oeuvre-") + 4 for key in (first, second))
    assert creating.new_key("???").startswith("space-")


@pytest.mark.parametrize(
    ("values", "field"),
    [({"name": "  "}, "name"), ({"name": "x" * 201}, "name"), ({"purpose": "x" * 1001}, "purpose"),
     ({"visibility": "hidden"}, "visibility")],
)  # fmt: skip
def test_what_cannot_be_taken_names_the_field(site, people, values, field):
    with pytest.raises(BadInput) as refused:
        make(site, people["olga"], **values)
    assert field in refused.value.fields
    with site.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Space)) == 0


def test_a_name_keeps_the_fixed_spaces_of_french(site, people, space_of):
    key = make(site, people["olga"], name=" Projet  «\u00a0messagerie\u00a0» ")
    assert space_of(key).name == "Projet «\u00a0messagerie\u00a0»"


def test_a_stale_form_changes_nothing(site, people, open_space):
    key = open_space()
    with site.db.read() as session:
        version = access.find(session, people["olga"].id, key).profile.version
    with site.db.write() as session:
        creating.change(session, people["olga"].id, key, purpose="First", version=version)
    with site.db.write() as session, pytest.raises(Conflict, match="changed this space"):
        creating.change(session, people["olga"].id, key, purpose="Second", version=version)
    with site.db.read() as session:
        assert session.scalar(select(Profile.purpose)) == "First"


def test_only_those_who_administer_it_change_it(site, people, open_space):
    key = open_space(members=["mia"])
    with site.db.write() as session:
        members.set_role(session, people["olga"].id, key, people["mia"].id, "moderator")
    for name in ("mia", "sam"):
        with site.db.write() as session, pytest.raises(Forbidden):
            creating.change(session, people[name].id, key, purpose="Mine")
    with site.db.write() as session:
        members.set_role(session, people["olga"].id, key, people["mia"].id, "admin")
        seat = creating.change(session, people["mia"].id, key, name="Le Jardin", deputy="olga", contact="mia", notify="all")
    assert (seat.space.name, seat.profile.folded, seat.space.notify) == ("Le Jardin", "le jardin", "all")
    with site.db.write() as session, pytest.raises(BadInput) as refused:
        creating.change(session, people["mia"].id, key, deputy="sam")
    assert "deputy" in refused.value.fields


def test_a_new_address_leaves_the_former_one_leading_there(site, people, open_space):
    key = open_space("Old name")
    with site.db.write() as session:
        creating.change(session, people["olga"].id, key, name="New name")
        new = creating.new_address(session, people["olga"].id, key)
    assert new.startswith("new-name-")
    with site.db.read() as session:
        assert access.find(session, people["sam"].id, key).space.key == new


def test_plugins_are_switched_off_and_on_in_one_space(site, people, open_space):
    from rse_core.api import Actor

    key, other = open_space("One"), open_space("Other")
    with site.db.write() as session:
        site.options.set(session, "communities.plugins", ["wall", "missing"], Actor("test"))
    with site.db.write() as session:
        assert creating.choosable(session) == ["wall"]
        creating.switch_plugins(session, people["olga"].id, key, set())

    def may(which):
        with site.db.read() as session:
            space = organisation.space_by_key(session, which)
            return policy.can(session, people["olga"].id, "wall.write", Target(audiences.of_space(session, space.id)))

    assert (str(may(key).reason), may(other).allowed) == ("plugin_off", True)
    with site.db.write() as session:
        creating.switch_plugins(session, people["olga"].id, key, {"wall"})
    assert may(key).allowed


def test_framing_sheets_to_complete_are_listed_for_site_administrators(site, people, client):
    with site.db.write() as session:
        key = creating.create(session, people["olga"].id, name="Half begun", kind="team").key
        framing.save(session, people["olga"].id, key, {"posts": "members", "purpose": "To meet"})
        roles.grant(session, people["ada"].id, "site_admin", actor=Actor("cli"))
    page = client(people["ada"]).get("/rse/communities/-/administration").text
    assert "Half begun" in page
    assert "Who reacts" in page
    [row] = client(people["ada"]).get("/rse/api/v1/communities/-/unfinished").get_json()
    assert row["key"] == key
    assert set(row["missing"]) >= {"likes", "comments", "moderates"}
    assert "posts" not in row["missing"]
    assert client(people["sam"]).get("/rse/api/v1/communities/-/unfinished").status_code == 404
