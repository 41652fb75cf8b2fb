"""What is read off a real directory: people, their entities and managers, groups in groups; and what cannot be used."""

from __future__ import annotations

import dataclasses
import socket

import pytest

from rse_core.i18n import use_locale
from rse_ldap.connection import DirectoryUnavailable
from rse_ldap.reading import read


def by_name(reading):
    return {one.username: one for one in reading.people}


def test_people_have_their_facts_entity_manager_and_an_id_that_stays(directory, config_of):
    west = directory.entity("CPAM du Finistère", description="Caisse du Finistère")
    agency = directory.entity("Quimper", west)
    boss = directory.person("hdupont", "Hélène Dupont", west, title="Directrice", mail="h.dupont@example.org")
    directory.person(
        "zo", "Zoé Œuvrard", agency, manager=boss, telephoneNumber="02 98 00 00 01", l="Quimper", preferredLanguage="fr"
    )
    reading = read(config_of(), "")
    people = by_name(reading)
    helene, zoe = people["hdupont"], people["zo"]
    assert (helene.display_name, helene.entity, helene.is_manager, helene.job_title) == (
        "Hélène Dupont", "CPAM du Finistère", True, "Directrice",
    )  # fmt: skip
    assert (zoe.entity, zoe.manager, zoe.is_manager, zoe.phone, zoe.site) == (
        "Quimper", helene.external_id, False, "02 98 00 00 01", "Quimper",
    )  # fmt: skip
    assert len({helene.external_id, zoe.external_id}) == 2
    assert [(one.key, one.name, one.parent) for one in reading.entities] == [
        ("CPAM du Finistère", "Caisse du Finistère", ""), ("Quimper", "Quimper", "CPAM du Finistère"),
    ]  # fmt: skip
    before = helene.external_id
    directory.move(boss, "uid=hmartin", None)
    assert by_name(read(config_of(), ""))["hmartin"].external_id == before, "a new name, the same person"


def test_names_with_commas_spaces_and_signs_lead_to_the_right_entity(directory, config_of):
    odd = directory.entity("Santé\\, social \\+ accueil")
    inner = directory.entity("A \\= B", odd)
    directory.person("one", above=odd)
    directory.person("two", above=inner)
    directory.person("three", above=inner.replace("ou=A", "OU=a").replace(",", ", ", 1))
    people = by_name(read(config_of(), ""))
    assert people["one"].entity == "Santé, social + accueil"
    assert people["two"].entity == people["three"].entity == "A = B"


def test_an_entity_can_come_from_an_attribute(directory, config_of):
    directory.person("one", departmentNumber="CPAM de l'Hérault")
    directory.person("two")
    config = config_of(entities_base="", entity_attribute="departmentNumber")
    reading = read(config, "")
    assert {one.username: one.entity for one in reading.people} == {"one": "CPAM de l'Hérault", "two": ""}
    assert [(one.key, one.name) for one in reading.entities] == [("CPAM de l'Hérault", "CPAM de l'Hérault")]


def test_groups_hold_the_people_of_the_groups_inside_them_also_in_circles(directory, config_of):
    one, two, three = (directory.person(f"p{n}") for n in range(3))
    inner = directory.group("inner", one)
    outer = directory.group("outer", inner, two)
    directory.group("other", three, f"uid=nobody,{three.split(',', 1)[1]}")
    directory.join(inner, outer)
    reading = read(config_of(), "")
    ids = {name: person.external_id for name, person in by_name(reading).items()}
    groups = {group.key: set(group.members) for group in reading.groups}
    assert groups == {"inner": {ids["p0"], ids["p1"]}, "outer": {ids["p0"], ids["p1"]}, "other": {ids["p2"]}}


def test_people_below_the_base_of_outsiders_are_external(directory, config_of):
    partners = directory.entity("partners")
    directory.person("inside")
    directory.person("outside", above=partners)
    people = by_name(read(config_of(external_base=partners.upper()), ""))
    assert (people["inside"].external, people["outside"].external) == (False, True)


def test_an_entry_that_cannot_be_used_is_named_and_the_others_are_read(directory, config_of):
    directory.person("good", employeeNumber="7")
    directory.person("none")
    reading = read(config_of(attributes={"id": "employeeNumber", "phone": "jpegPhoto"}), "")
    assert [one.username for one in reading.people] == ["good"]
    (fault,) = reading.faults
    assert (fault.where.split(",")[0], fault.field) == ("uid=none", "employeeNumber")
    picture = directory.person("bytes", employeeNumber="8", jpegPhoto=b"\xff\xd8\xfe\xfe")
    faults = read(config_of(attributes={"id": "employeeNumber", "phone": "jpegPhoto"}), "").faults
    assert (picture, "jpegPhoto", "8") in [(one.where, one.field, one.external_id) for one in faults]


def test_more_people_than_the_server_gives_at_once_come_in_pages(directory, config_of):
    for number in range(620):
        directory.person(f"p{number:03}")
    told = []
    reading = read(config_of(page_size=100), "", lambda *step: told.append(step))
    assert len(reading.people) == 620
    assert ("people", 600, 600) in told


def test_changes_alone_are_read_from_the_servers_own_mark(directory, config_of):
    boss = directory.person("boss", "Anna Boss")
    directory.person("same")
    group = directory.group("team", boss)
    first = read(config_of(), "")
    assert first.complete
    directory.tick()
    nothing = read(config_of(), first.mark)
    assert not nothing.complete
    assert {one.username for one in nothing.people} <= {"boss", "same"}, "what the last second held may come again"
    directory.tick()
    new = directory.person("new", manager=boss)
    directory.join(group, new)
    directory.tick()
    changed = read(config_of(), first.mark)
    found = by_name(changed)
    ids = {one.username: one.external_id for one in first.people}
    assert found["new"].manager == ids["boss"], "a manager who did not change is looked up"
    assert [set(one.members) for one in changed.groups] == [{ids["boss"], found["new"].external_id}]
    assert changed.mark > first.mark


def test_a_connection_that_breaks_is_begun_again_and_gives_up_in_the_end(directory, config_of, cut, server):
    for number in range(60):
        directory.person(f"p{number:02}")
    port = int(server.rpartition(":")[2])
    once = config_of(url=f"ldap://127.0.0.1:{cut(port, after=6_000)}", page_size=10)
    assert len(read(once, "").people) == 60
    always = config_of(url=f"ldap://127.0.0.1:{cut(port, after=6_000, times=99)}", page_size=10)
    with use_locale("en"), pytest.raises(DirectoryUnavailable, match="was lost"):
        read(always, "")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"password": "wrong"}, "bind_dn"),
        ({"people_base": "ou=nowhere,dc=intranet,dc=example"}, "people_base"),
        ({"groups_base": "ou=nowhere,dc=intranet,dc=example"}, "groups_base"),
        ({"people_base": "not a name"}, "[ldap]"),
        ({"people_filter": "(&(uid=*)(|))("}, None),
        ({"start_tls": True}, ""),
    ],
)
def test_what_is_wrong_is_said_with_the_key_to_mend(directory, config_of, values, named):
    directory.person("one")
    if named is None:
        from rse_core.api import ConfigError

        with pytest.raises(ConfigError, match="people_filter"):
            config_of(**values)
        return
    with pytest.raises(DirectoryUnavailable) as caught:
        read(config_of(**values), "")
    assert named in (caught.value.remedy or "")
    assert "for a test only" not in str(caught.value)


def test_a_server_that_does_not_run_is_named(config_of):
    config = config_of(url=f"ldap://127.0.0.1:{_free_port()}")
    with pytest.raises(DirectoryUnavailable) as caught:
        read(config, "")
    assert config.url in str(caught.value)
    assert "for a test only" not in repr(dataclasses.replace(config))


def test_people_are_in_other_entities_and_have_assistants(directory, config_of):
    west = directory.entity("West")
    agency = directory.entity("Agency", west)
    east = directory.entity("East")
    zoe = directory.person("zoe", above=east)
    directory.person("anna", above=east, secretary=zoe, departmentNumber=["Agency", west, "Nowhere"])
    people = by_name(read(config_of(attributes={"other_entities": "departmentNumber"}), ""))
    assert people["anna"].assistants == (people["zoe"].external_id,)
    assert sorted(people["anna"].others or ()) == ["Agency", "Nowhere", "West"], "an unknown one is told by the import"
    assert people["zoe"].others == people["zoe"].assistants == ()
    assert by_name(read(config_of(), ""))["anna"].others is None, "nothing is said of what no attribute is named for"
    assert agency


def test_a_changed_person_has_assistants_who_did_not_change(directory, config_of):
    directory.entity("East")
    zoe = directory.person("zoe")
    mark = read(config_of(), "").mark
    directory.person("anna", secretary=zoe)
    people = by_name(read(config_of(), mark))
    ids = {one.username: one.external_id for one in read(config_of(), "").people}
    assert people["anna"].assistants == (ids["zoe"],)


def test_nobody_is_called_by_an_address_where_another_attribute_has_a_name(directory, config_of):
    directory.person("zo", displayName="zoe.o@example.org", cn="Zoé Œuvrard")
    directory.person("both", displayName="both@example.org", cn="b.oth@example.org")
    people = by_name(read(config_of(), ""))
    assert people["zo"].display_name == "Zoé Œuvrard"
    assert people["both"].display_name == "both"
