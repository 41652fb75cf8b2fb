"""From a real directory into the database: changes, renames, moves, leavers; the commands; what is configured wrong."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from rse_core import directory as core_directory
from rse_core.api import Actor, ConfigError
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.i18n import use_locale
from rse_core.models.organisation import Entity, Group, GroupMember, Person
from rse_ldap.config import Config, LdapSchema, parse


@pytest.fixture
def sync(core, adapter):
    def sync(**values):
        source = core_directory.DirectorySource("ldap.main", "LDAP", adapter.read)
        return core_directory.sync(core, source, actor=Actor("cli:test"), **values)

    return sync


def people(core):
    with core.db.read() as session:
        rows = session.execute(
            select(Person.username, Person.display_name, Entity.key, Person.status)
            .outerjoin(Entity, Entity.id == Person.entity_id)
            .order_by(Person.username)
        )
        return {row[0]: tuple(row[1:]) for row in rows}


def members(core, key):
    with core.db.read() as session:
        query = select(Person.username).join(GroupMember, GroupMember.person_id == Person.id)
        return sorted(session.scalars(query.join(Group, Group.id == GroupMember.group_id).where(Group.key == key)))


def test_a_first_synchronisation_and_one_that_changes_nothing(core, directory, sync):
    west, south = directory.entity("west"), directory.entity("south")
    boss = directory.person("boss", "Hélène Dupont", west)
    directory.person("zoe", "Zoé Œuvrard", south, manager=boss)
    inner = directory.group("inner", boss)
    directory.group("outer", inner)
    first = sync()
    assert (first.state, first.report.people.created, first.report.entities.created) == ("done", 2, 2)
    assert people(core) == {
        "boss": ("Hélène Dupont", "west", "active"), "zoe": ("Zoé Œuvrard", "south", "active"),
    }  # fmt: skip
    assert members(core, "outer") == ["boss"]
    again = sync(complete=True)
    assert (again.report.people.as_dict()["updated"], again.report.people.unchanged) == (0, 2)


def test_a_rename_a_move_a_leaver_and_a_return(core, directory, sync):
    west, south = directory.entity("west"), directory.entity("south")
    names = {uid: directory.person(uid, above=west) for uid in ("anna", "ben", *(f"x{n}" for n in range(20)))}
    sync()
    with core.db.read() as session:
        before = dict(session.execute(select(Person.username, Person.id)).all())
    directory.move(names["anna"], "uid=anna.married", south)
    directory.change(f"uid=anna.married,{south}", displayName="Anna Married")
    directory.remove(names["ben"])
    directory.tick()
    assert not sync().complete
    found = people(core)
    assert found["anna.married"] == ("Anna Married", "south", "active")
    assert found["ben"][2] == "active", "changes alone do not say who has left"
    assert sync(complete=True).report.people.disabled == 1
    assert people(core)["ben"][2] == "disabled"
    with core.db.read() as session:
        after = dict(session.execute(select(Person.username, Person.id)).all())
    assert after["anna.married"] == before["anna"]


def test_a_rehired_person_is_the_same_by_a_number_that_the_organisation_keeps(core, adapter, directory, config_of, sync):
    adapter.config = config_of(attributes={"id": "employeeNumber"})
    for number in range(15):
        directory.person(f"p{number}", employeeNumber=str(number))
    sync()
    with core.db.read() as session:
        ident = session.scalar(select(Person.id).where(Person.username == "p3"))
    directory.remove("uid=p3,ou=people,dc=intranet,dc=example")
    sync(complete=True)
    directory.person("p3.back", "Back Again", employeeNumber="3")
    sync(complete=True)
    with core.db.read() as session:
        person = session.get(Person, ident)
        assert (person.username, person.display_name, person.status) == ("p3.back", "Back Again", "active")


def test_a_page_lost_midway_disables_nobody(core, adapter, directory, config_of, cut, server, sync):
    for number in range(60):
        directory.person(f"p{number:02}")
    sync()
    port = int(server.rpartition(":")[2])
    adapter.config = config_of(url=f"ldap://127.0.0.1:{cut(port, after=6_000, times=99)}", page_size=10)
    lost = sync(complete=True)
    assert lost.state == "failed"
    assert {status for _name, _entity, status in people(core).values()} == {"active"}


def test_a_filter_that_lets_too_few_through_is_stopped(core, adapter, directory, config_of, sync):
    for number in range(20):
        directory.person(f"p{number:02}", title="kept" if number < 10 else "other")
    sync()
    adapter.config = config_of(people_filter="(&(objectClass=inetOrgPerson)(title=kept))")
    assert sync(complete=True).state == "refused"
    assert {status for _name, _entity, status in people(core).values()} == {"active"}


def test_the_check_shows_what_would_be_read_and_writes_nothing(core, adapter, directory, config_of):
    directory.person("good", "Zoé Œuvrard", mail="zoe@example.org")
    directory.person("twin", employeeNumber="9")

    def check(*words):
        return CliRunner(env={"LC_ALL": "C"}).invoke(cli, ["ldap", "check", *words], obj=State(lambda: core))

    plain = check()
    assert plain.exit_code == 0, plain.output
    assert "2 people" in plain.output
    assert "Zoé Œuvrard" in plain.output
    adapter.config = config_of(attributes={"id": "employeeNumber"})
    faulty = check("--json")
    assert faulty.exit_code == 1
    assert json.loads(faulty.stdout)["faults_found"][0]["field"] == "employeeNumber"
    adapter.config = Config()
    assert "No directory is set." in check().output
    assert people(core) == {}


def test_the_health_check_says_whether_it_answers(core, adapter, config_of):
    with use_locale("en"):
        assert adapter._check(None).detail == "the directory answers, unencrypted"
        adapter.config = config_of(password="wrong")
        wrong = adapter._check(None)
    assert not wrong.ok
    assert "bind_dn" in wrong.remedy


GOOD = {"url": "ldaps://ldap.example.org", "people_base": "ou=people,dc=example,dc=org"}


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"url": "http://ldap.example.org"}, "url"),
        ({"people_base": ""}, "people_base"),
        ({"start_tls": True}, "start_tls"),
        ({"bind_dn": "cn=x"}, "bind_dn"),
        ({"url": "ldap://ldap.example.org", "bind_dn": "cn=x", "password": "y"}, "clear"),
        ({"ca_file": "/no/such/file"}, "ca_file"),
        ({"password_file": "/no/such/file"}, "password_file"),
        ({"attributes": {"shoe_size": "x"}}, "shoe_size"),
        ({"people_filter": "uid=*"}, "people_filter"),
        ({"entities_base": "dc=x", "entity_attribute": "ou"}, "entity_attribute"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_by_its_key(values, key):
    with pytest.raises(ConfigError, match=key):
        parse(LdapSchema().load({**GOOD, **values}))


def test_the_password_may_stand_in_a_file_and_is_never_shown(tmp_path):
    file = tmp_path / "password"
    file.write_text("quite secret\n", "utf-8")
    config = parse(LdapSchema().load({**GOOD, "bind_dn": "cn=reader", "password_file": str(file)}))
    assert config.password == "quite secret"
    assert "secret" not in repr(config)


def test_without_an_address_there_is_no_directory(core, rse_plugins):
    assert core.plugins.directory_sources() == {}
