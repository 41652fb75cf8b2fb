"""Somebody from outside is in the audiences of their groups and spaces, and in no other."""

from __future__ import annotations

import pytest

from rse_core import audiences, policy, preferences
from rse_core.api import Capability, Level, Manifest, Plugin, Target, can, hookimpl
from rse_core.models.levels import PluginSwitch
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_group, make_person, make_space, set_level


class Notes(Plugin):
    manifest = Manifest(name="notes", label="Notes")

    @hookimpl
    def rse_capabilities(self):
        return [
            Capability("notes.read", "Read", Level.REACT, writes=False),
            Capability("notes.write", "Write", Level.COMMENT, default_who="members"),
        ]


@pytest.fixture
def rse_plugins():
    return [Notes()]


@pytest.fixture
def site(core):
    set_level(core, "cocreate")
    return core


def test_an_outside_person_is_in_their_group_and_space_alone(site):
    entity, group, space = make_entity(site, "north"), make_group(site, "partners"), make_space(site, "works")
    staff = make_person(site, "anna", entity=entity, groups=[group], spaces=[space])
    guest = make_person(site, "gil", entity=entity, groups=[group], spaces=[space], external=True)
    with site.db.read() as session:
        theirs = {audiences.of_group(session, group.id), audiences.of_members(session, space.id)}
        assert audiences.of_person(session, guest.id) == theirs
        staffs = {audiences.everyone(session), audiences.of_entity(session, entity.id)}
        assert audiences.of_person(session, staff.id) == theirs | staffs


def test_an_outside_person_may_do_nothing_on_what_is_for_everyone(site):
    space, public = make_space(site, "works"), make_space(site, "square", visibility="public")
    guest = make_person(site, "gil", spaces=[space], external=True)
    staff = make_person(site, "anna")
    with site.db.read() as session:
        everyone, members = audiences.everyone(session), audiences.of_members(session, space.id)
        for subject in (Target(everyone), Target(everyone, space_id=public.id)):
            assert can(session, staff.id, "notes.read", subject)
            assert not can(session, guest.id, "notes.read", subject)
        assert can(session, guest.id, "notes.read", Target(members, space_id=space.id))
        assert not can(session, staff.id, "notes.read", Target(members, space_id=space.id))


def test_open_audiences_are_those_in_which_one_may_do_it(site):
    space, shut = make_space(site, "works"), make_space(site, "shut")
    anna = make_person(site, "anna", spaces=[space, shut])
    set_level(site, "inform", space=shut, kind="cap")
    with site.db.read() as session:
        everyone = audiences.everyone(session)
        works, closed = audiences.of_members(session, space.id), audiences.of_members(session, shut.id)
        assert policy.open_audiences(session, anna.id, "notes.read") == sorted([everyone, works])
        assert policy.open_audiences(session, None, "notes.read") == []
        assert policy.open_audiences(session, 10**9, "notes.read") == []
    with site.db.write() as session:
        session.add(PluginSwitch(plugin="notes", scope="space", scope_id=space.id, enabled=False, changed_by="kit"))
        policy.touch(session)
    with site.db.read() as session:
        assert policy.open_audiences(session, anna.id, "notes.read") == [everyone]
        assert closed not in policy.open_audiences(session, anna.id, "notes.read")


def test_open_audiences_ask_the_database_nothing_for_somebody_known(site):
    anna = make_person(site, "anna", spaces=[make_space(site) for _ in range(12)])
    with site.db.read() as session:
        first = policy.open_audiences(session, anna.id, "notes.read")
    with site.db.read() as session, count_queries(site) as queries:
        assert policy.open_audiences(session, anna.id, "notes.read") == first
    assert len(first) == 13
    assert len(queries) == 0, str(queries)


def test_a_preference_is_kept_changed_and_forgotten(site):
    anna, ben = make_person(site, "anna"), make_person(site, "ben")
    with site.db.write() as session:
        preferences.put(session, anna.id, "notes.sort", "newest")
        preferences.put(session, anna.id, "notes.sort", "oldest")
        preferences.put(session, anna.id, "notes.sizes", [1, 2])
        preferences.put(session, ben.id, "other.sort", "x")
    with site.db.write() as session:
        assert preferences.get(session, anna.id, "notes.sort") == "oldest"
        assert preferences.get(session, ben.id, "notes.sort", "newest") == "newest"
        assert preferences.all_of(session, anna.id, "notes.") == {"notes.sort": "oldest", "notes.sizes": [1, 2]}
        preferences.put(session, anna.id, "notes.sort", None)
        assert preferences.get(session, anna.id, "notes.sort") is None
