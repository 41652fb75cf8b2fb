"""The adapter as part of a site: its contract, settings, checks, pages, personal data."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from sqlalchemy import select

from rse_core import directory, people, privacy, roles
from rse_core.api import Actor, ConfigError, Conflict, use_locale
from rse_core.health import examine
from rse_core.models.organisation import Person
from rse_core.models.runtime import Token
from rse_core.testing import assert_plugin_contract
from rse_core.testing.identity import as_person
from rse_scim.config import ScimSchema, parse
from rse_scim.models import ScimUser
from rse_scim.plugin import Scim


def test_the_adapter_keeps_the_contract_of_plugins(rse_database):
    assert_plugin_contract(Scim())


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"base_url": "intranet"}, "base_url"),
        ({"base_url": "https://intranet.example/rse/scim/v2?x=1"}, "base_url"),
        ({"adopt": ["csv", "scim.main"]}, "adopt"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(values, named):
    with pytest.raises(ConfigError, match=named):
        parse(ScimSchema().load(values))


class TestAddress:
    @pytest.fixture
    def scim_settings(self):
        return {"base_url": "https://intranet.example/rse/scim/v2/"}

    def test_the_address_is_that_which_the_provider_sees(self, scim):
        made = scim.user("ana")
        assert made["meta"]["location"] == f"https://intranet.example/rse/scim/v2/Users/{made['id']}"


# -- What the doctor says


def doctor(core):
    with use_locale("en"):
        return next(line.result for line in examine(core) if line.name == "scim.token")


def test_the_doctor_says_nothing_is_wrong_while_nobody_was_let_in(core):
    assert doctor(core).ok
    assert "no token" in doctor(core).detail


def test_the_doctor_says_when_provisioning_is_open(core, scim):
    scim.user("ana")
    assert (doctor(core).ok, doctor(core).detail) == (True, "provisioning is open")


def test_the_doctor_warns_before_the_token_ends(core, token):
    with core.db.write() as session:
        session.scalar(select(Token)).expires_at = dt.datetime.now(dt.UTC) + dt.timedelta(days=3)
    assert not doctor(core).ok
    assert "ends on" in doctor(core).detail


def test_the_doctor_warns_when_the_owner_is_no_administrator_any_more(core, token):
    with core.db.write() as session:
        roles.revoke(session, people.by_username(session, "root").id, "site_admin", actor=Actor("tests"), force=True)
    assert "does not administer" in doctor(core).detail


def test_the_doctor_warns_of_a_provider_that_could_lock_itself_out(core, token):
    with core.db.write() as session:
        people.by_username(session, "root").source = "scim.main"
    assert "lock itself out" in doctor(core).detail


def test_the_doctor_tells_the_last_thing_that_was_refused(core, scim):
    scim.user("ana", emails=[{"value": "no address"}], expect=400)
    assert "no address" in doctor(core).detail


# -- What administrators see


def test_what_arrives_is_one_line_for_each_time_the_provider_was_at_work(core, scim):
    one = scim.user("ana")
    scim.user("bob")
    scim.patch(f"/Users/{one['id']}", {"op": "replace", "path": "title", "value": "T"})
    scim.user("ana", expect=409)
    scim.group("Team", [one["id"]])
    scim.delete(f"/Users/{one['id']}")
    scim.get("/Users", filter="nothing", expect=400)
    with core.db.read() as session:
        (run,) = directory.runs(session, "scim.main")
        assert run.actor == "scim:Entra ID"
        counts = {name: run.report["people"][name] for name in ("created", "updated", "disabled")}
        assert counts == {"created": 2, "updated": 1, "disabled": 1}
        assert run.report["groups"]["created"] == 1
        assert [(error["file"], error["column"]) for error in run.report["errors"]] == [("POST Users", "uniqueness")]
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=20), tick=True):
        scim.user("eve")
    with core.db.read() as session:
        assert len(directory.runs(session, "scim.main")) == 2


def test_the_page_of_the_directories_shows_it(core, app, scim):
    scim.user("ana")
    scim.user("ana", expect=409)
    http = app.test_client()
    with core.db.read() as session:
        as_person(http, people.by_username(session, "root"))
    page = http.get("/rse/admin/directories/").text
    assert "Identity provider (SCIM)" in page
    assert "It sends what changes by itself." in page
    assert "already" in page
    assert "rse people sync" not in page


def test_there_is_nothing_to_read(core):
    with pytest.raises(Conflict, match=r"scim\.main"):
        directory.sync(core, directory.source_named(core, "scim"), actor=Actor("tests"))
    with core.db.read() as session:
        assert directory.runs(session, "scim.main") == []


def test_faults_that_say_nothing_about_the_data_are_not_kept(core, scim):
    scim.delete("/Users/none", expect=404)
    scim.send("POST", "/Users", raw=b"x", headers={"Content-Type": "text/plain"}, expect=415)
    with core.db.read() as session:
        assert directory.runs(session, "scim.main") == []


# -- Personal data


def test_a_person_gets_what_the_provider_sent_and_it_goes_with_them(core, scim):
    made = scim.user("ana", nickName="Nana", enterprise={"employeeNumber": "7"})
    with core.db.read() as session:
        person_id = people.by_username(session, "ana").id
        assert "Nana" in repr(privacy.export(session, person_id))
    with core.db.write() as session:
        privacy.erase(session, person_id, actor=Actor("tests"))
    with core.db.read() as session:
        assert session.scalars(select(ScimUser)).all() == []
        assert privacy.is_erased(session.get(Person, person_id))
    scim.get(f"/Users/{made['id']}", expect=404)


def test_the_adapter_speaks_french(core, app, token):
    answer = app.test_client().get("/rse/scim/v2/Users/x", headers={
        "Authorization": f"Bearer {token}", "Accept-Language": "fr",
    })  # fmt: skip
    assert answer.json["detail"] == "Aucune personne n’a l’identifiant « x »."
