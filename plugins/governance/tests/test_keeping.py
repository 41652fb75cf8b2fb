"""Suspensions, the log, tools, and what is kept about people: how long, exported, erased."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re

import pytest
import time_machine
from sqlalchemy import String, func, select

from rse_core import privacy, roles
from rse_core.api import Actor, BadInput, Conflict, Forbidden, NotFound, ObjectRef, can, utcnow
from rse_core.db import metadata
from rse_core.models.governance import Audit, Held
from rse_core.models.organisation import Person
from rse_core.testing.organisation import make_entity, make_person
from rse_governance import appeals, bin, cases, keeping, log, mydata, queue, suspending, tools, wording
from rse_governance.models import Case

ACTOR = Actor("cli:tests")
REASON = "Insults, twice in a week."


def suspend(core, person, username, **values):
    with core.db.write() as session:
        return suspending.suspend(session, person.id, username, **{"days": 7, "reason": REASON, **values})


def allowed(core, person):
    with core.db.read() as session:
        return can(session, person.id, "wall.write").allowed


def test_a_suspended_person_reads_and_is_told_until_it_ends_or_is_lifted(site, people, wall, told):
    suspend(site, people["mo"], "anna")
    assert not allowed(site, people["anna"])
    assert any("You cannot write until" in line and REASON in line for line in told(people["anna"]))
    with site.db.read() as session:
        assert [one.person.username for one in suspending.page(session, people["mo"].id)[0]] == ["anna"]
        assert len(suspending.own(session, people["anna"].id)) == 1
    with time_machine.travel(utcnow() + dt.timedelta(days=8), tick=False), site.db.read() as session:
        assert can(session, people["anna"].id, "wall.write", at=utcnow()).allowed
        assert suspending.page(session, people["mo"].id)[0] == []
    with site.db.write() as session:
        assert suspending.lift(session, people["mo"].id, "anna", why="Settled.") == 1
    assert allowed(site, people["anna"])


def test_entity_administrators_suspend_their_own_people_and_nobody_else(site, people, wall):
    north = make_entity(site, "north")
    make_person(site, "nina", entity=make_entity(site, "office", parent=north))
    with site.db.write() as session:
        roles.grant(session, people["cleo"].id, "entity_admin", scope="entity", scope_id=north.id, actor=ACTOR)
    suspend(site, people["cleo"], "nina")
    for username in ("anna", "cleo"):
        with pytest.raises(Forbidden):
            suspend(site, people["cleo"], username)
    with pytest.raises(Forbidden):
        suspend(site, people["mo"], "mo")
    with pytest.raises(NotFound):
        suspend(site, people["mo"], "nobody")
    for wrong in ({"days": 0}, {"days": 367}, {"reason": "short"}):
        with pytest.raises(BadInput):
            suspend(site, people["mo"], "anna", **wrong)
    with site.db.read() as session, pytest.raises(Forbidden):
        suspending.page(session, people["anna"].id)


def test_the_log_has_every_act_with_who_why_and_when_and_is_for_moderators_of_the_site(site, people, moderated, wall):
    wall.write(site, people["anna"], "a text")
    with site.db.write() as session:
        number = queue.page(session, people["mo"].id).lines[0].row.id
        queue.decide(session, people["mo"].id, number, approve=False, reason="=SUM(1)")
        wording.add(session, people["mo"].id, where="site", act="hold", words="mot")
    with site.db.read() as session:
        rows, more = log.page(session, people["mo"].id, log.Asked())
        assert {row.act for row in rows} >= {"moderation.refused", "words.add", "moderation.review", "role.grant"}
        [refused] = log.page(session, people["mo"].id, log.Asked(act="moderation.refused"))[0]
        assert (refused.actor, refused.why, refused.subject) == ("mo", "=SUM(1)", "wall.note:1")
        assert log.page(session, people["mo"].id, log.Asked(actor="nobody"))[0] == []
        seen, after = [], None
        while True:
            rows, after = log.page(session, people["mo"].id, log.Asked(), after=after, most=2)
            seen += [row.id for row in rows]
            if after is None:
                break
        assert seen == sorted(set(seen), reverse=True)
        assert [row.id for row in log.stream(session, people["mo"].id, log.Asked())] == sorted(seen)
        with pytest.raises(Forbidden):
            log.page(session, people["anna"].id, log.Asked())


def test_a_cell_never_begins_as_a_formula():
    assert [log.cell(one) for one in ("=1+1", "+1", "-1", "@x", "a", None, {"a": 1})] == [
        "'=1+1", "'+1", "'-1", "'@x", "a", "", "a: 1",
    ]  # fmt: skip


def test_the_register_is_changed_by_administrators_and_checked(site, people):
    with site.db.write() as session:
        row = tools.save(session, people["ada"].id, use="Ask everybody", tool="The feed", address="/rse/feed/")
        for wrong in ({"address": "javascript:alert(1)"}, {"address": "//evil"}, {"use": " "}, {"tool": "x" * 201}):
            with pytest.raises(BadInput):
                tools.save(session, people["ada"].id, **{"use": "a", "tool": "b", **wrong})
        with pytest.raises(Forbidden):
            tools.save(session, people["mo"].id, use="a", tool="b")
        tools.save(session, people["ada"].id, tool_id=row.id, use="Ask", tool="The feed", shown=False)
        assert [one.use for one in tools.register(session)] == ["Ask"]
        assert tools.register(session, beside=True) == []
        tools.remove(session, people["ada"].id, row.id)
        with pytest.raises(NotFound):
            tools.remove(session, people["ada"].id, row.id)


def test_the_record_of_processing_names_every_kind_of_the_core_and_of_plugins(site, people):
    with site.db.read() as session:
        rows = {row.name: row for row in keeping.processing(session)}
    assert {"core.profile", "core.held", "governance.cases"} <= set(rows)
    assert all(str(row.label) and str(row.purpose) for row in rows.values())
    assert rows["core.held"].days == 730
    assert rows["core.held"].prunable
    assert not rows["core.profile"].prunable


def test_a_term_is_set_by_administrators_and_applied_by_the_job(site, people, moderated, wall):
    wall.write(site, people["anna"], "decided")
    wall.write(site, people["anna"], "waiting")
    with site.db.write() as session:
        number = queue.page(session, people["mo"].id).lines[0].row.id
        queue.decide(session, people["mo"].id, number, approve=True)
        for who, name, days, error in (
            ("mo", "core.held", 60, Forbidden), ("ada", "core.profile", 60, NotFound), ("ada", "core.held", 7, BadInput),
        ):  # fmt: skip
            with pytest.raises(error):
                keeping.set_term(session, people[who].id, name, days)
        keeping.set_term(session, people["ada"].id, "core.held", 60)
        keeping.set_term(session, people["ada"].id, "core.acts", 60)
    with time_machine.travel(utcnow() + dt.timedelta(days=61), tick=False), site.db.write() as session:
        keeping.apply(session)
    with site.db.read() as session:
        assert session.scalars(select(Held.state)).all() == ["pending"]
        assert session.scalar(select(func.count()).select_from(Audit)) == 0


def test_a_kind_that_cannot_be_pruned_does_not_keep_the_others(site, people, monkeypatch):
    broken = keeping.privacy.Kept("wall", privacy.PersonalData(
        "wall.broken", "Broken", "To break", lambda *_: [], lambda *_: 0, prune=lambda *_: 1 / 0, days=30,
    ))  # fmt: skip
    kinds = privacy.kinds
    monkeypatch.setattr(privacy, "kinds", lambda session: [broken, *kinds(session)])
    with site.db.write() as session:
        keeping.set_term(session, people["ada"].id, "core.acts", 30)
    with time_machine.travel(utcnow() + dt.timedelta(days=31), tick=False), site.db.write() as session:
        keeping.apply(session)
    with site.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Audit)) == 0


def traces(core, word):
    """Every column of every table in which a word still stands."""
    found = []
    with core.db.read() as session:
        for table in metadata.sorted_tables:
            if not table.name.startswith(("rse_core_", "rse_governance_")):
                continue
            for column in table.columns:
                if session.scalar(
                    select(func.count()).select_from(table).where(func.lower(column.cast(String)).contains(word))
                ):
                    found.append(f"{table.name}.{column.name}")
    return found


def test_an_erased_person_is_found_nowhere_and_their_bin_is_emptied(site, people, moderated, wall):
    zoe = make_person(site, "zorglub", name="Zoé Zorglub")
    note = wall.write(site, people["anna"], "an insult")
    wall.notes[note.id].state = "published"
    own = wall.write(site, zoe, "my text")
    wall.notes[own.id].state = "published"
    with site.db.write() as session:
        cases.report(session, zoe.id, ObjectRef("wall.note", str(note.id)), kind="other", text="zorglub was hurt")
        cases.report(session, people["ben"].id, ObjectRef("wall.note", str(own.id)), kind="false")
        number = session.scalars(select(Case.id).where(Case.author_id == zoe.id)).one()
        cases.decide(session, people["mo"].id, number, hide=True, reason="zorglub is wrong")
        appeals.appeal(session, zoe.id, number, "zorglub appeals")
        suspending.suspend(session, people["mo"].id, "zorglub", days=3, reason="zorglub insulted people")
    wall.notes[own.id].state = "published"
    wall.delete(site, zoe, own.id)
    with site.db.read() as session:
        assert {"zorglub was hurt", "zorglub appeals"} <= {
            str(value) for row in privacy.export(session, zoe.id)["sections"][-1]["rows"] for value in row.values()
        } or "zorglub" in str(privacy.export(session, zoe.id))
    assert len(traces(site, "zorglub")) > 5
    with site.db.write() as session:
        mydata.erase(session, zoe.id, typed="zorglub")
    # What moderators wrote to others in a log stays theirs; it is about the object, and names nobody but by their hand.
    assert [one for one in traces(site, "zorglub") if one != "rse_core_audit.why"] == []
    assert wall.notes[own.id].text == ""
    with site.db.read() as session:
        assert list(bin.page(session, people["mo"].id)[0]) == []
        assert session.get_one(Person, zoe.id).status == "disabled"


def test_erasing_oneself_needs_ones_name_and_leaves_an_administrator(site, people):
    with site.db.write() as session:
        with pytest.raises(BadInput):
            mydata.erase(session, people["anna"].id, typed="ben")
        with pytest.raises(Conflict):
            mydata.erase(session, people["ada"].id, typed="ada")
        site.options.set(session, mydata.SELF_ERASE, False, ACTOR)
    with site.db.write() as session, pytest.raises(Forbidden):
        mydata.erase(session, people["anna"].id, typed="anna")


# -- on pages ----------------------------------------------------------------------------------------------------------


def token_of(browser, path="/rse/me/"):
    return re.search(r'name="csrf_token" value="([^"]+)"', browser.get(path).text)[1]


def test_my_data_is_a_file_and_my_account_goes_by_a_form(site, people, client):
    browser = client(people["anna"])
    page = browser.get("/rse/moderation/data").text
    assert "Record" not in page
    assert "Profile" in page
    form = {"csrf_token": token_of(browser)}
    answer = browser.post("/rse/moderation/data/export", data=form)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert answer.get_json(force=True)["person"] == "anna"
    refused = browser.post("/rse/moderation/data/erase", data={**form, "username": "nobody"})
    assert refused.status_code == 422
    assert 'value="nobody"' in refused.text
    assert browser.post("/rse/moderation/data/erase", data={**form, "username": "anna"}).status_code == 303
    with site.db.read() as session:
        assert session.get_one(Person, people["anna"].id).username == f"erased-{people['anna'].id}"


def test_the_log_leaves_as_a_table(site, people, moderated, client):
    answer = client(people["mo"]).get("/rse/moderation/log.csv")
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert rows[0] == ["when", "who", "act", "on", "before", "after", "why"]
    assert any(row[2] == "moderation.review" for row in rows)
    assert client(people["anna"]).get("/rse/moderation/log.csv").status_code == 403
    record = client(people["ada"]).get("/rse/moderation/processing.csv").text
    assert "core.profile" in record
    assert client(people["mo"]).get("/rse/moderation/processing.csv").status_code == 403


