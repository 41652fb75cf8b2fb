"""The threshold that stops a mass deactivation."""

from __future__ import annotations

import datetime as dt
import logging

import pytest
import time_machine
from sqlalchemy import func, select

from rse_core.api import Actor, BadInput
from rse_core.audit import entries
from rse_core.directory import runs
from rse_core.models.organisation import Person
from rse_scim.leaving import parse_percent
from rse_scim.models import Leaving

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


@pytest.fixture
def scim_settings():
    return {"leaving_free": 2, "leaving_window": 3_600}


@pytest.fixture
def everybody(scim):
    return [scim.user(f"u{number:02}") for number in range(20)]


def switch(scim, made, active, **more):
    return scim.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": active}, **more)


def disabled(core):
    with core.db.read() as session:
        return session.scalar(select(func.count()).where(Person.status == "disabled"))


def test_beyond_the_share_nobody_else_is_disabled_with_a_sentence_and_a_line(core, scim, everybody, caplog):
    switch(scim, everybody[0], False)
    scim.delete(f"/Users/{everybody[1]['id']}")
    with caplog.at_level(logging.WARNING, "rse.scim"):
        answer = scim.send("DELETE", f"/Users/{everybody[2]['id']}", expect=429)
    assert "3 of 20 people" in answer.json["detail"]
    assert "scim.leaving_percent" in answer.json["detail"]
    assert int(answer.headers["Retry-After"]) > 0
    assert any("3 of 20 people" in line for line in caplog.messages)
    switch(scim, everybody[3], False, expect=429)
    assert disabled(core) == 2
    assert scim.get(f"/Users/{everybody[2]['id']}")["active"] is True
    with core.db.read() as session:
        report = runs(session, "scim.main")[0].report
        assert report["people"]["disabled"] == 2
        assert [error["column"] for error in report["errors"]] == ["429", "429"]
        assert "person:u03" not in [entry.subject for entry in entries(session, act="scim.person.disable")]


def test_a_refused_leaver_keeps_whatever_else_the_request_said(core, scim, everybody):
    for made in everybody[:2]:
        switch(scim, made, False)
    path = f"/Users/{everybody[2]['id']}"
    scim.patch(path, {"op": "replace", "value": {"active": False, "title": "half"}}, expect=429)
    assert "title" not in scim.get(path), "all of a request or nothing"


def test_a_bulk_request_does_not_get_around_it(core, scim, everybody):
    operations = [{"method": "DELETE", "path": f"/Users/{made['id']}"} for made in everybody]
    answer = scim.post("/Bulk", {"schemas": [BULK], "Operations": operations}, expect=200)
    statuses = [one["status"] for one in answer["Operations"]]
    assert statuses == ["204"] * 2 + ["429"] * 18
    assert disabled(core) == 2


def test_an_administrator_raises_the_share_for_the_time_being(core, scim, everybody):
    for made in everybody[:2]:
        switch(scim, made, False)
    switch(scim, everybody[2], False, expect=429)
    with core.db.write() as session:
        core.options.set(session, "scim.leaving_percent", 15, Actor("root"))
    switch(scim, everybody[2], False)
    switch(scim, everybody[3], False, expect=429)
    assert disabled(core) == 3


def test_who_comes_back_counts_no_longer_and_neither_does_who_left_long_ago(core, scim, everybody):
    for made in everybody[:2]:
        switch(scim, made, False)
    switch(scim, everybody[0], True)
    switch(scim, everybody[2], False)
    switch(scim, everybody[3], False, expect=429)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)
    with time_machine.travel(later, tick=True):
        switch(scim, everybody[3], False)
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Leaving)) == 1


def test_switching_off_who_is_off_is_no_leaving(core, scim, everybody):
    for made in everybody[:2]:
        switch(scim, made, False)
    for made in everybody[:2]:
        switch(scim, made, False)
        scim.delete(f"/Users/{made['id']}")
    scim.user("new", active=False)
    assert disabled(core) == 3


@pytest.mark.parametrize("text", ["", "-1", "101", "1.5", "ten", True, "٣", None])
def test_a_share_is_a_whole_number(text):
    with pytest.raises(BadInput):
        parse_percent(text)


def test_a_share_may_be_typed_or_stored():
    assert (parse_percent("15"), parse_percent(0), parse_percent(" 100 ")) == (15, 0, 100)
