"""Reports, what moderators decide, appeals, and the recycle bin."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from sqlalchemy import func, select

from rse_core import roles
from rse_core.api import Actor, BadInput, Conflict, Forbidden, NotFound, ObjectRef, utcnow
from rse_core.testing.organisation import make_person, make_space
from rse_governance import appeals, bin, cases, casework
from rse_governance.models import Binned, Case, Report

ACTOR = Actor("cli:tests")


def ref(note):
    return ObjectRef("wall.note", str(note.id))


def report(core, person, note, kind="hurtful", text=""):
    with core.db.write() as session:
        return cases.report(session, person.id, ref(note), kind=kind, text=text)


def listed(core, person, state="open"):
    with core.db.read() as session:
        return casework.page(session, person.id, state=state)


def only(core, person, state="open"):
    return listed(core, person, state).lines[0].row


def decide(core, person, number, **what):
    with core.db.write() as session:
        return cases.decide(session, person.id, number, **what)


def test_a_report_reaches_the_moderators_with_who_made_it_and_never_the_author(site, people, wall, told):
    note = wall.write(site, people["anna"], "an insult")
    assert report(site, people["ben"], note, text="This hurts Cleo.") is True
    page = listed(site, people["mo"])
    assert page.lines[0].text == "an insult"
    [one] = page.reports[page.lines[0].row.id]
    assert (one.person.username, one.row.kind, one.row.text) == ("ben", "hurtful", "This hurts Cleo.")
    assert "Something that you moderate was reported." in told(people["mo"])
    assert told(people["anna"]) == []
    with site.db.read() as session:
        assert list(casework.own(session, people["anna"].id).lines) == []


def test_one_report_a_person_and_object(site, people, wall):
    note = wall.write(site, people["anna"], "an insult")
    assert [report(site, people["ben"], note), report(site, people["ben"], note)] == [True, False]
    assert report(site, people["cleo"], note) is True
    assert only(site, people["mo"]).reports == 2
    with site.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Report)) == 2


def test_what_cannot_be_read_cannot_be_reported_nor_ones_own(site, people, wall):
    space = make_space(site, "inner", visibility="secret", members=[people["anna"]], managers=[people["max"]])
    secret = wall.write(site, people["anna"], "between us", space=space)
    for hidden in (ref(secret), ObjectRef("wall.note", "987"), ObjectRef("wall.nothing", "1")):
        with site.db.write() as session, pytest.raises(NotFound) as error:
            cases.report(session, people["ben"].id, hidden, kind="false")
        assert str(error.value) == "There is nothing to report here."
    own = wall.write(site, people["anna"], "mine")
    with pytest.raises(Conflict):
        report(site, people["anna"], own)
    with pytest.raises(BadInput):
        report(site, people["ben"], own, kind="other")
    with pytest.raises(BadInput):
        report(site, people["ben"], own, kind="nonsense")


def test_a_reported_author_who_moderates_does_not_see_the_case(site, people, wall):
    note = wall.write(site, people["mo"], "by the moderator")
    report(site, people["ben"], note)
    assert list(listed(site, people["mo"]).lines) == []
    number = only(site, people["ada"]).id
    with site.db.write() as session, pytest.raises(NotFound):
        cases.decide(session, people["mo"].id, number, hide=False, reason="")


def test_it_is_taken_down_with_a_reason_and_everybody_concerned_is_told(site, people, wall, told):
    note = wall.write(site, people["anna"], "an insult")
    report(site, people["ben"], note)
    number = only(site, people["mo"]).id
    with pytest.raises(BadInput):
        decide(site, people["mo"], number, hide=True, reason="")
    decide(site, people["mo"], number, hide=True, reason="It insults a colleague.")
    assert wall.notes[note.id].state == "hidden"
    assert "What you wrote was taken down. Reason: It insults a colleague. You may appeal." in told(people["anna"])
    assert "What you reported was taken down. Thank you for telling." in told(people["ben"])
    with pytest.raises(Conflict):
        decide(site, people["mo"], number, hide=False, reason="")


def test_left_in_place_it_is_opened_again_by_a_later_report(site, people, wall, told):
    note = wall.write(site, people["anna"], "a joke")
    report(site, people["ben"], note)
    decide(site, people["mo"], only(site, people["mo"]).id, hide=False, reason="")
    assert "The moderators looked at what you reported and left it in place." in told(people["ben"])
    assert told(people["anna"]) == []
    report(site, people["cleo"], note)
    assert (only(site, people["mo"]).state, only(site, people["mo"]).reports) == ("open", 1)


def test_after_so_many_reports_it_is_taken_down_until_somebody_decides(site, people, wall, told):
    with site.db.write() as session:
        site.options.set(session, cases.HIDE_AFTER, 2, ACTOR)
    note = wall.write(site, people["anna"], "an insult")
    report(site, people["ben"], note)
    assert wall.notes[note.id].state == "published"
    report(site, people["cleo"], note)
    assert wall.notes[note.id].state == "hidden"
    assert any("Several people reported" in line for line in told(people["anna"]))
    decide(site, people["mo"], only(site, people["mo"]).id, hide=False, reason="A joke.")
    assert wall.notes[note.id].state == "published"


def test_an_appeal_is_decided_by_another_moderator_where_there_is_one(site, people, wall, told):
    note = wall.write(site, people["anna"], "an insult")
    report(site, people["ben"], note)
    number = only(site, people["mo"]).id
    decide(site, people["mo"], number, hide=True, reason="It insults.")
    with site.db.write() as session:
        with pytest.raises(NotFound):
            appeals.appeal(session, people["cleo"].id, number, "Show it!")
        appeals.appeal(session, people["anna"].id, number, "I quoted somebody.")
    with site.db.write() as session, pytest.raises(Conflict):
        appeals.appeal(session, people["anna"].id, number, "Again.")
    assert "Somebody appeals against a decision: another moderator decides." in told(people["ada"])
    assert not any("appeals" in line for line in told(people["mo"]))
    with site.db.write() as session, pytest.raises(Forbidden):
        appeals.decide_appeal(session, people["mo"].id, number, grant=True, reason="Yes.")
    with site.db.write() as session:
        appeals.decide_appeal(session, people["ada"].id, number, grant=True, reason="A quotation.")
    assert wall.notes[note.id].state == "published"
    assert any("Your appeal was granted" in line and "A quotation." in line for line in told(people["anna"]))
    assert only(site, people["mo"], "decided").state == "restored"


def test_where_there_is_one_moderator_only_the_appeal_waits_for_another(site, people, wall):
    with site.db.write() as session:
        roles.revoke(session, people["ada"].id, "site_admin", actor=ACTOR, force=True)
    note = wall.write(site, people["anna"], "an insult")
    report(site, people["ben"], note)
    number = only(site, people["mo"]).id
    decide(site, people["mo"], number, hide=True, reason="It insults.")
    with site.db.write() as session:
        appeals.appeal(session, people["anna"].id, number, "Please.")
    with site.db.write() as session, pytest.raises(Forbidden, match="another moderator"):
        appeals.decide_appeal(session, people["mo"].id, number, grant=False, reason="It does.")
    with site.db.write() as session:
        roles.grant(session, people["cleo"].id, "moderator", actor=ACTOR)
    with site.db.write() as session:
        appeals.decide_appeal(session, people["cleo"].id, number, grant=False, reason="It does.")
    assert wall.notes[note.id].state == "hidden"
    assert only(site, people["mo"], "decided").state == "confirmed"


def test_a_stale_form_decides_nothing(site, people, wall):
    note = wall.write(site, people["anna"], "an insult")
    report(site, people["ben"], note)
    case = only(site, people["mo"])
    report(site, people["cleo"], note)
    with pytest.raises(Conflict):
        decide(site, people["mo"], case.id, hide=False, reason="", version=case.version)
    assert only(site, people["mo"]).state == "open"


def test_too_many_reports_of_one_person_wait(site, people, wall):
    from rse_core.api import TooMany

    notes = [wall.write(site, people["anna"], f"note {number}") for number in range(cases.PER_HOUR + 1)]
    for note in notes[:-1]:
        report(site, people["ben"], note)
    with pytest.raises(TooMany):
        report(site, people["ben"], notes[-1])


def test_below_the_level_nobody_reports(site, people, wall):
    note = wall.write(site, people["anna"], "a text")
    low = make_person(site, "low", level=0)
    with pytest.raises((NotFound, Forbidden)):
        report(site, low, note)


def test_what_is_deleted_comes_back_from_the_bin_and_its_author_is_told(site, people, wall, told):
    note = wall.write(site, people["anna"], "important")
    wall.delete(site, people["anna"], note.id)
    with site.db.read() as session:
        [line], _more = bin.page(session, people["mo"].id)
        assert (line.text, line.by.username, line.row.reason) == ("important", "anna", "a reason")
    with site.db.write() as session, pytest.raises(NotFound):
        bin.restore(session, people["cleo"].id, line.row.id)
    with site.db.write() as session:
        bin.restore(session, people["mo"].id, line.row.id, why="By mistake.")
    assert wall.notes[note.id].state == "published"
    assert any(line.startswith("A moderator shows again") for line in told(people["anna"]))
    with site.db.write() as session, pytest.raises(NotFound):
        bin.restore(session, people["mo"].id, line.row.id)


def test_the_bin_is_emptied_for_good_after_its_time(site, people, wall):
    note = wall.write(site, people["anna"], "old")
    report(site, people["ben"], note)
    wall.delete(site, people["anna"], note.id)
    with time_machine.travel(utcnow() + dt.timedelta(days=31), tick=False):
        with site.db.read() as session:
            assert list(bin.page(session, people["mo"].id)[0]) == []
        with site.db.write() as session:
            bin.empty(session)
    assert wall.notes[note.id].text == ""
    with site.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Binned)) == 0
        assert session.scalar(select(func.count()).select_from(Case)) == 0


def test_with_no_days_nothing_is_kept(site, people, wall):
    with site.db.write() as session:
        site.options.set(session, bin.DAYS, 0, ACTOR)
    note = wall.write(site, people["anna"], "gone")
    wall.delete(site, people["anna"], note.id)
    assert wall.notes[note.id].text == ""


def test_a_secret_spaces_bin_and_cases_are_its_own(site, people, wall, told):
    space = make_space(site, "inner", visibility="secret", members=[people["anna"], people["ben"]], managers=[people["max"]])
    note = wall.write(site, people["anna"], "between us", space=space)
    report(site, people["ben"], note)
    wall.delete(site, people["anna"], note.id)
    for stranger in ("mo", "ada"):
        page = listed(site, people[stranger])
        assert (list(page.lines), page.elsewhere) == ([], 1)
        with site.db.read() as session:
            assert list(bin.page(session, people[stranger].id)[0]) == []
    case = only(site, people["max"])
    assert case.reports == 1
    with site.db.read() as session:
        assert len(bin.page(session, people["max"].id)[0]) == 1
    # Nobody else may look: the appeal goes to the site, and the space stays secret.
    wall.notes[note.id].state = "published"
    decide(site, people["max"], case.id, hide=True, reason="It hurts.")
    with site.db.write() as session:
        appeals.appeal(session, people["anna"].id, case.id, "Please.")
    with site.db.write() as session, pytest.raises(Forbidden, match="another moderator"):
        appeals.decide_appeal(session, people["max"].id, case.id, grant=False, reason="I was right.")
    for stranger in ("mo", "ada"):
        [line] = told(people[stranger])
        assert "a moderator of the whole site decides" in line
        assert "inner" not in line
    with site.db.write() as session:
        appeals.decide_appeal(session, people["mo"].id, case.id, grant=True, reason="Granted.")
    assert wall.notes[note.id].state == "published"


def test_a_page_of_the_intranet_is_reported_and_left_to_the_intranet(site, people, client):
    page = ObjectRef("page", "/news/1")
    with site.db.write() as session:
        site.pages.ensure(session, page)
        assert cases.report(session, people["ben"].id, page, kind="false") is True
    with site.db.read() as session:
        [line] = casework.page(session, people["mo"].id).lines
        assert (line.can_hide, line.author, line.info.url) == (False, None, "/news/1")
    with pytest.raises(Conflict, match="cannot be taken down"):
        decide(site, people["mo"], line.row.id, hide=True, reason="It is false.")
    decide(site, people["mo"], line.row.id, hide=False, reason="")
    slots = client(people["ben"]).get("/rse/embed/slots?address=/news/1&slots=report").get_json()["slots"]
    assert "/rse/moderation/report?ref=page:/news/1" in slots["report"]["html"].replace("%3A", ":").replace("%2F", "/")


def test_what_a_type_does_not_offer_is_said(site, people, wall, monkeypatch):
    note = wall.write(site, people["anna"], "an insult")
    report(site, people["ben"], note)
    number = only(site, people["mo"]).id
    from rse_core.api import Handling

    monkeypatch.setattr(cases, "_handling", lambda *_: Handling())
    with pytest.raises(Conflict, match="cannot be taken down"):
        decide(site, people["mo"], number, hide=True, reason="It insults.")
    assert only(site, people["mo"]).state == "open"
