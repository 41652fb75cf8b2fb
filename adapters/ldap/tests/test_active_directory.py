"""A real Active Directory domain: what is read of it, what changed since by its own counter, accounts switched off."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from rse_core import directory as core_directory
from rse_core.api import Actor, DirectorySource
from rse_core.i18n import use_locale
from rse_core.models.organisation import Entity, Group, GroupMember, Person
from rse_core.testing.databases import missing_part
from rse_ldap.config import LdapSchema, parse
from rse_ldap.connection import DirectoryUnavailable, asking

_spec = importlib.util.spec_from_file_location("ldap_samba", Path(__file__).with_name("samba.py"))
samba = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = samba
_spec.loader.exec_module(samba)

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import ldap3
    from ldap3.protocol.formatters.formatters import format_uuid_le

pytestmark = pytest.mark.timeout(300)
STAFF, TEAMS = f"OU=Staff,{samba.BASE}", f"OU=Teams,{samba.BASE}"
ENABLED, OFF = 512 + 32, 512 + 32 + 2


@pytest.fixture(scope="module")
def controller():
    why = samba.missing()
    if why:
        missing_part("samba", why)
    # The paths of its sockets must be short.
    folder = Path(tempfile.mkdtemp(prefix="rse-ad-"))
    try:
        with samba.running(folder) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Domain:
    """What a test writes into the domain, as its administrator."""

    def __init__(self, url):
        self.connection = ldap3.Connection(
            ldap3.Server(url, get_info=ldap3.NONE), samba.ADMIN, samba.PASSWORD, auto_bind=True, check_names=False
        )

    def must(self, done):
        assert done, self.connection.result

    def empty(self):
        for base in (STAFF, TEAMS):
            self.connection.search(base, "(objectClass=*)", attributes=["1.1"])
            names = [one["dn"] for one in self.connection.response or [] if "dn" in one]
            for name in sorted(names, key=lambda dn: -dn.count(",")):
                self.must(self.connection.delete(name))
            self.must(self.connection.add(base, ["organizationalUnit"]))

    def entity(self, name, **values):
        dn = f"OU={name},{STAFF}"
        self.must(self.connection.add(dn, ["organizationalUnit"], values))
        return dn

    def person(self, account, name, above=STAFF, **values):
        dn = f"CN={name},{above}"
        given = {"sAMAccountName": account, "displayName": name, "userAccountControl": ENABLED, **values}
        self.must(self.connection.add(dn, ["user"], given))
        return dn

    def group(self, name, *members):
        dn = f"CN={name},{TEAMS}"
        given = {"sAMAccountName": name, **({"member": list(members)} if members else {})}
        self.must(self.connection.add(dn, ["group"], given))
        return dn

    def change(self, dn, **values):
        self.must(self.connection.modify(dn, {key: [(ldap3.MODIFY_REPLACE, [value])] for key, value in values.items()}))

    def join(self, group, member):
        self.must(self.connection.modify(group, {"member": [(ldap3.MODIFY_ADD, [member])]}))

    def move(self, dn, rdn, above=None):
        self.must(self.connection.modify_dn(dn, rdn, new_superior=above))
        return f"{rdn},{above or dn.partition(',')[2]}"


@pytest.fixture
def domain(controller):
    found = Domain(controller)
    found.empty()
    yield found
    found.connection.unbind()


@pytest.fixture
def sync(core, rse_plugins, controller, domain):
    """``sync(complete=…)``: one run of the core; ``sync.config`` is what it reads with."""
    adapter = rse_plugins[0]
    adapter.config = parse(LdapSchema().load({
        "url": controller, "kind": "ad", "bind_dn": samba.ADMIN, "password": samba.PASSWORD, "people_base": STAFF,
        "groups_base": TEAMS, "entities_base": STAFF, "entities_filter": "(&(objectClass=organizationalUnit)(!(ou=Staff)))",
        "page_size": 7,
    }))  # fmt: skip

    def sync(**values):
        source = DirectorySource("ldap.main", "LDAP", adapter.read)
        return core_directory.sync(core, source, actor=Actor("cli:test"), **values)

    sync.config = adapter.config
    return sync


def people(core):
    with core.db.read() as session:
        rows = session.execute(
            select(Person.username, Person.display_name, Entity.key, Person.status)
            .outerjoin(Entity, Entity.id == Person.entity_id)
            .order_by(Person.username)
        )
        return {row[0]: tuple(row[1:]) for row in rows}


def ids(core):
    with core.db.read() as session:
        return {row.external_id: row.id for row in session.execute(select(Person.external_id, Person.id))}


def members(core, key):
    with core.db.read() as session:
        query = select(Person.username).join(GroupMember, GroupMember.person_id == Person.id)
        return sorted(session.scalars(query.join(Group, Group.id == GroupMember.group_id).where(Group.key == key)))


def test_people_entities_and_groups_inside_groups_are_read(core, domain, sync):
    west, south = domain.entity("Ouest", description="Caisse de l’Ouest"), domain.entity("Sud")
    boss = domain.person("hdupont", "Hélène Dupont", west, mail="h.dupont@intranet.test", title="Directrice")
    domain.person("zoeuvrard", "Zoé Œuvrard", south, manager=boss, telephoneNumber="+33 2 98 00 00 00")
    domain.person("gone", "Switched Off", south, userAccountControl=OFF)
    inner = domain.group("inner", boss)
    outer = domain.group("outer", inner)
    domain.join(inner, outer)
    run = sync()
    assert (run.state, run.report.errors) == ("done", [])
    assert people(core) == {
        "hdupont": ("Hélène Dupont", "Ouest", "active"), "zoeuvrard": ("Zoé Œuvrard", "Sud", "active"),
    }  # fmt: skip
    assert members(core, "outer") == members(core, "inner") == ["hdupont"]
    with core.db.read() as session:
        chief = session.scalars(select(Person).where(Person.username == "hdupont")).one()
        other = session.scalars(select(Person).where(Person.username == "zoeuvrard")).one()
        assert (chief.email, chief.job_title, chief.is_manager) == ("h.dupont@intranet.test", "Directrice", True)
        assert (other.manager_id, other.phone) == (chief.id, "+33 2 98 00 00 00")
        assert session.scalars(select(Entity.name).where(Entity.key == "Ouest")).one() == "Caisse de l’Ouest"
    # The id is the one that the domain's own tools show.
    domain.connection.search(boss, "(objectClass=*)", search_scope=ldap3.BASE, attributes=["objectGUID"])
    kept = domain.connection.response[0]["raw_attributes"]["objectGUID"][0]
    assert format_uuid_le(kept).strip("{}") in ids(core)


def test_only_what_changed_since_the_controllers_own_count_is_read(core, domain, sync):
    west, south = domain.entity("Ouest"), domain.entity("Sud")
    anna = domain.person("anna", "Anna Martin", west)
    for number in range(20):
        domain.person(f"x{number}", f"X{number}", west)
    team = domain.group("team", anna)
    first = sync()
    assert first.complete
    before = ids(core)
    quiet = sync()
    assert not quiet.complete
    assert quiet.report.people.updated == quiet.report.people.unchanged == 0
    anna = domain.move(anna, "CN=Anna Le Goff", south)
    domain.change(anna, sAMAccountName="alegoff", displayName="Anna Le Goff")
    new = domain.person("new", "New Person", south)
    domain.join(team, new)
    changed = sync()
    assert not changed.complete
    assert (changed.report.people.created, changed.report.people.updated) == (1, 1)
    assert people(core)["alegoff"] == ("Anna Le Goff", "Sud", "active")
    assert "anna" not in people(core)
    assert {key: ident for key, ident in ids(core).items() if key in before} == before
    assert members(core, "team") == ["alegoff", "new"]


def test_an_account_switched_off_has_left_and_comes_back_as_the_same(core, domain, sync):
    names = [domain.person(f"p{number}", f"Person {number}") for number in range(15)]
    sync()
    before = ids(core)
    domain.change(names[3], userAccountControl=OFF)
    sync()
    assert people(core)["p3"][2] == "active", "changes alone do not say who has left"
    assert sync(complete=True).report.people.disabled == 1
    assert people(core)["p3"][2] == "disabled"
    domain.change(names[3], userAccountControl=ENABLED)
    assert sync().report.people.updated == 1
    assert people(core)["p3"][2] == "active"
    assert ids(core) == before


def test_a_group_of_more_people_than_one_answer_holds_is_whole(core, domain, sync):
    people_of = [domain.person(f"m{number}", f"Member {number}") for number in range(60)]
    domain.group("all", *people_of)
    sync()
    assert len(members(core, "all")) == 60


def test_a_wrong_password_says_what_to_check(domain, sync):
    wrong = replace(sync.config, password="wrong")
    with use_locale("en"), pytest.raises(DirectoryUnavailable, match="password"), asking(wrong):
        pass
