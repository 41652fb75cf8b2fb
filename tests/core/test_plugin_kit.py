"""The kit's fixtures, used as a vendor would."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect, select

from rse_core.levels import Level
from rse_core.models.organisation import Person
from rse_core.testing import count_queries


def test_a_core_of_the_kit_is_migrated_and_empty(core):
    core.check_database()
    with core.db.read() as session:
        assert session.scalars(select(Person)).all() == []


def test_each_core_has_a_database_of_its_own(rse_core):
    from rse_core.testing import make_person

    first, second = rse_core(), rse_core()
    make_person(first, "alice")
    with second.db.read() as session:
        assert session.scalars(select(Person)).all() == []


def test_a_person_at_a_level_stands_in_an_entity(core, make_person):
    person = make_person("alice", level=Level.REACT)
    assert person.entity_id is not None


def test_an_empty_database_is_told_from_a_migrated_one(rse_core):
    core = rse_core(migrated=False)
    assert inspect(core.db.engine).get_table_names() == []


def test_queries_are_counted_without_the_transactions_own(core):
    with count_queries(core) as count, core.db.read() as session:
        session.scalars(select(Person)).all()
        session.scalars(select(Person.id)).all()
    assert len(count) == 2, str(count)


def test_a_part_that_is_required_fails_instead_of_skipping(monkeypatch):
    from rse_core.testing import require_part

    monkeypatch.setenv("RSE_TEST_REQUIRE", "no-such-program")
    with pytest.raises(pytest.fail.Exception, match="RSE_TEST_REQUIRE names it"):
        require_part("no-such-program")
    monkeypatch.setenv("RSE_TEST_REQUIRE", "")
    with pytest.raises(pytest.skip.Exception, match="not installed here"):
        require_part("no-such-program")


def test_a_plugin_is_used_beside_the_usual_ones(use_plugin):
    from rse_core.api import Manifest, Plugin

    class Notes(Plugin):
        manifest = Manifest("notes", "Notes")

    assert set(use_plugin(Notes()).plugins.states) == {"kit", "notes"}


def test_a_client_acts_as_a_person_and_as_nobody(rse_client, as_person, make_person):
    alice = make_person("alice", name="Alice Martin")
    as_person(rse_client, alice)
    assert "Alice Martin" in rse_client.get("/rse/me/").get_data(as_text=True)
    as_person(rse_client, None)
    assert "Alice Martin" not in rse_client.get("/rse/me/").get_data(as_text=True)


def test_no_header_makes_a_client_a_person(rse_client, make_person):
    make_person("alice", name="Alice Martin")
    headers = {"rse_core.testing.person": "alice", "Rse-Core.Testing.Person": "alice"}
    assert "Alice Martin" not in rse_client.get("/rse/me/", headers=headers).get_data(as_text=True)


def test_the_contract_is_refused_with_every_sentence():
    from rse_core.api import Manifest, Plugin, hookimpl
    from rse_core.testing import assert_plugin_contract

    class Notes(Plugin):
        manifest = Manifest("notes", " ")

        @hookimpl
        def rse_translations(self):
            from pathlib import Path

            from rse_core.api import Translations

            return Translations(Path(__file__).parent, "rse_notes")

    with pytest.raises(AssertionError) as refused:
        assert_plugin_contract(Notes())
    assert str(refused.value).count("\n- ") == 2


def test_addresses_are_the_same_when_rules_are_compiled_once_for_all_applications(rse_core):
    from flask import Flask, url_for

    from rse_core.testing.compiled import keep_compiled

    keep_compiled()
    made = []
    for prefix, default in (("/a", 1), ("/a", 2), ("/b", 1)):
        app = Flask("rules")
        app.add_url_rule(f"{prefix}/", "list", lambda page: "", defaults={"page": default})
        app.add_url_rule(f"{prefix}/<int:page>/<path:rest>", "one", lambda page, rest: "")
        with app.test_request_context():
            made.append((url_for("list", page=default), url_for("one", page=3, rest="x y/z", q="é")))
    assert made == [
        ("/a/", "/a/3/x%20y/z?q=%C3%A9"), ("/a/", "/a/3/x%20y/z?q=%C3%A9"), ("/b/", "/b/3/x%20y/z?q=%C3%A9"),
    ]  # fmt: skip


def test_what_takes_long_is_made_once_and_again_after_a_failure(tmp_path_factory):
    from uuid import uuid4

    from rse_core.testing.once import made_once

    name, calls = uuid4().hex, []

    def make(folder):
        calls.append(folder)
        folder.mkdir()
        (folder / "file").write_text(f"{len(calls)}")
        if len(calls) == 1:
            raise OSError

    with pytest.raises(OSError):
        made_once(tmp_path_factory, name, make)
    first, second = (made_once(tmp_path_factory, name, make) for _ in range(2))
    assert first == second
    assert (first / "file").read_text() == "2"
    assert len(calls) == 2


def test_resources_that_cannot_be_described_are_a_breach_of_the_contract():
    from flask_smorest import Blueprint
    from marshmallow import Schema, fields

    from rse_core.api import Manifest, Plugin, hookimpl
    from rse_core.testing import assert_plugin_contract

    class NoteSchema(Schema):
        of = fields.Nested("SchemaThatNobodyWrote")

    class Notes(Plugin):
        manifest = Manifest("notes", "Notes")

        @hookimpl
        def rse_rest_blueprints(self):
            api = Blueprint("rse_notes_api", __name__, url_prefix="/notes")

            @api.route("")
            @api.response(200, NoteSchema)
            def notes():
                return {}

            return [api]

    with pytest.raises(AssertionError, match="SchemaThatNobodyWrote"):
        assert_plugin_contract(Notes())
