"""Photos of a real directory: whose, of which attribute, how large, a few at a time; and what changed alone."""

from __future__ import annotations

import tracemalloc

import pytest

from rse_core import directory as core_directory
from rse_core.api import Actor, Manifest, Plugin, hookimpl
from rse_core.i18n import use_locale
from rse_ldap import reading
from rse_ldap.plugin import Ldap

JPEG = b"\xff\xd8\xff\xe0" + b"one" * 100


class Keeper(Plugin):
    """Keeps what it is given."""

    manifest = Manifest(name="keeper", label="Keeper", description="Keeps photos.")

    def __init__(self):
        self.given = {}

    @hookimpl
    def rse_photos(self, core, source, photos):
        changed = {ident: "" for ident, data in photos.items() if self.given.get(ident, b"") != data}
        self.given |= photos
        return changed


@pytest.fixture
def keeper():
    return Keeper()


@pytest.fixture
def rse_plugins(keeper):
    return [Ldap(), keeper]


@pytest.fixture
def sync(core, rse_plugins, config_of):
    def sync(*, complete=False, **values):
        rse_plugins[0].config = config_of(photos=True, **values)
        (source,) = rse_plugins[0].rse_directory_sources()
        return core_directory.sync(core, source, actor=Actor("test"), complete=complete)

    return sync


def all_of(config, mark=""):
    return {one.where.split(",")[0][4:]: one for page in reading.photos(config, mark) for one in page}


def test_photos_are_read_as_they_stand_and_too_large_ones_are_named(directory, config_of):
    directory.person("zo", jpegPhoto=JPEG)
    directory.person("none")
    directory.person("big", jpegPhoto=b"\xff\xd8\xff" + b"x" * 3000)
    with use_locale("en"):
        found = all_of(config_of(photos=True, photo_limit=2))
    assert (found["zo"].data, found["zo"].problem) == (JPEG, "")
    assert (found["none"].data, found["none"].problem) == (b"", "")
    assert (found["big"].data, found["big"].problem) == (b"", "The photo is larger than 2 kB.")
    assert "one" not in repr(found["zo"])


def test_photos_come_by_a_setting_change_and_go(core, directory, sync, keeper, rse_plugins, config_of):
    rse_plugins[0].config = config_of()
    assert next(iter(rse_plugins[0].rse_directory_sources())).photos is None
    dn = directory.person("zo", jpegPhoto=JPEG)
    directory.person("bob")
    first = sync()
    assert (first.state, first.report.photos) == ("done", 1)
    assert sorted(keeper.given.values()) == [b"", JPEG]
    directory.tick()
    directory.change(dn, jpegPhoto=JPEG + b"two")
    again = sync()
    assert (again.complete, again.report.photos) == (False, 1)
    directory.tick()
    directory.change(dn, jpegPhoto=b"")
    assert sync().report.photos == 1
    assert set(keeper.given.values()) == {b""}


def test_one_that_is_too_large_is_told_and_leaves_what_there_was(directory, sync, keeper):
    dn = directory.person("zo", jpegPhoto=JPEG)
    sync()
    directory.change(dn, jpegPhoto=b"\xff\xd8\xff" + b"x" * 3000)
    with use_locale("en"):
        result = sync(complete=True, photo_limit=2)
    assert (result.state, result.report.photos) == ("done", 0)
    assert [(e.column, e.file) for e in result.report.errors] == [("photo", dn)]
    assert list(keeper.given.values()) == [JPEG]


def test_a_broken_connection_leaves_people_and_everything_is_read_again(core, directory, sync, monkeypatch):
    directory.person("zo", jpegPhoto=JPEG)

    def broken(config, mark):
        yield []
        raise reading.Interrupted("lost")

    monkeypatch.setattr(reading, "photos", broken)
    assert sync().state == "done"
    monkeypatch.undo()
    result = sync()
    assert (result.complete, result.report.photos) == (True, 1)


def test_memory_stays_flat_whatever_the_number_of_photos(directory, config_of, monkeypatch):
    for number in range(60):
        directory.person(f"p{number}", jpegPhoto=b"\xff\xd8\xff" + bytes([number]) * 200_000)
    config = config_of(photos=True)
    monkeypatch.setattr(reading, "SOME", 5)

    def peak():
        tracemalloc.start()
        number = 0
        for page in reading.photos(config, ""):
            number += len(page)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert number == 60
        return size

    assert peak() < 60 * 200_000 / 2
