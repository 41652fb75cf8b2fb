"""Where another plugin brings people, this one's own are left out: nobody is found twice, or by what that one hides."""

from __future__ import annotations

from rse_core.api import ContentType, Manifest, ObjectRef, Plugin, hookimpl
from rse_core.testing.organisation import make_person
from rse_search import people, plugin


class Directory(Plugin):
    manifest = Manifest(name="register", label="Register")

    @hookimpl
    def rse_content_types(self):
        return [ContentType("register.person", "person", lambda session, ids: {}, searchable=True)]


def documents(core, person):
    with core.db.read() as session:
        found = list(people.documents(session, [people.ref_of(person.id)]))
        return found, people.resolve(session, [str(person.id)])


def test_people_are_left_to_a_directory_that_is_there(rse_core):
    core = rse_core(plugins=[plugin, Directory()])
    assert documents(core, make_person(core, "anna")) == ([], {})


def test_without_one_people_are_found(rse_core):
    core = rse_core(plugins=[plugin])
    found, infos = documents(core, make_person(core, "anna"))
    assert [one.title for one in found] == ["Anna"]
    assert [info.ref for info in infos.values()] == [ObjectRef(people.TYPE, next(iter(infos)))]
