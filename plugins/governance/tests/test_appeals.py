"""What a moderator deleted: its author is told why, appeals once, in time, and another moderator answers."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from sqlalchemy import func, select

from rse_core import roles
from rse_core.api import Actor, Conflict, Forbidden, NotFound, utcnow
from rse_core.testing.organisation import make_space
from rse_governance import appeals, bin, cases, casework, personal
from rse_governance.models import Binned, Case

ACTOR = Actor("cli:tests")


def own(core, person):
    with core.db.read() as session:
        return casework.own(session, person.id).lines


def appeal(core, person, text="I quoted somebody."):
    with core.db.write() as session:
        return appeals.appeal(session, person.id, own(core, person)[0].row.id, text)


def answer(core, person, number, *, grant):
    with core.db.write() as session:
        return appeals.decide_appeal(session, person.id, number, grant=grant, reason="Looked at again.")


def csrf(browser):
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/rse/me/").text)
    return {"X-RSE-CSRF": found[1]}


def later(**values):
    return time_machine.travel(utcnow() + dt.timedelta(**values), tick=False)


@pytest.fixture
def deleted(site, people, wall, told):
    """A note of anna's that mo deleted."""
    note = wall.write(site, people["anna"], "an insult")
    wall.delete(site, people["mo"], note.id)
    told(people["anna"])
    return note


def test_the_author_is_told_why_and_another_moderator_shows_it_again(site, people, wall, told, deleted):
    assert told(people["anna"]) == ["What you wrote was taken down. Reason: a reason You may appeal."]
    [line] = own(site, people["anna"])
    assert (line.text, line.row.reason, line.row.appealable) == ("an insult", "a reason", True)
    number = appeal(site, people["anna"]).id
    assert "Somebody appeals against a decision: another moderator decides." in told(people["ada"])
    assert not any("appeals" in text for text in told(people["mo"]))
    with pytest.raises(Conflict):
        appeal(site, people["anna"])
    with pytest.raises(Forbidden):
        answer(site, people["mo"], number, grant=True)
    with pytest.raises(NotFound):
        answer(site, people["ben"], number, grant=True)
    answer(site, people["ada"], number, grant=True)
    assert wall.notes[deleted.id].state == "published"
    assert any("Your appeal was granted" in text and "Looked at again." in text for text in told(people["anna"]))
    with site.db.write() as session:
        # It is in the recycle bin no more: the job does not empty what is shown again.
        assert session.scalar(select(func.count()).select_from(Binned)) == 0
    with later(days=400), site.db.write() as session:
        bin.empty(session)
    assert wall.notes[deleted.id].text == "an insult"


def test_an_appeal_refused_leaves_it_deleted_and_is_the_last(site, people, wall, told, deleted):
    number = appeal(site, people["anna"]).id
    answer(site, people["ada"], number, grant=False)
    assert wall.notes[deleted.id].state == "deleted"
    assert any("Your appeal was not granted" in text for text in told(people["anna"]))
    with pytest.raises(Conflict):
        appeal(site, people["anna"])
    with later(days=31), site.db.write() as session:
        bin.empty(session)
    assert wall.notes[deleted.id].text == ""
    assert own(site, people["anna"]) == []


def test_after_the_term_nobody_appeals_and_the_bin_waits_for_an_appeal(site, people, wall, deleted):
    with site.db.write() as session:
        site.options.set(session, cases.APPEAL_DAYS, 60, ACTOR)
        site.options.set(session, bin.DAYS, 1, ACTOR)
    other = wall.write(site, people["anna"], "a joke")
    wall.delete(site, people["mo"], other.id)
    with later(days=31):
        # The first was deleted under the term of then.
        lines = {line.text: line for line in own(site, people["anna"])}
        assert (lines["an insult"].row.appealable, lines["a joke"].row.appealable) == (False, True)
        with site.db.write() as session:
            with pytest.raises(Conflict, match="time to appeal is over"):
                appeals.appeal(session, people["anna"].id, lines["an insult"].row.id, "Please.")
            appeals.appeal(session, people["anna"].id, lines["a joke"].row.id, "Please.")
    with later(days=90):
        with site.db.write() as session:
            bin.empty(session)
        assert (wall.notes[deleted.id].text, wall.notes[other.id].text) == ("", "a joke")
        answer(site, people["ada"], lines["a joke"].row.id, grant=True)
    assert wall.notes[other.id].state == "published"


def test_what_nobody_can_show_again_is_explained_without_an_appeal(site, people, wall, told):
    with site.db.write() as session:
        site.options.set(session, bin.DAYS, 0, ACTOR)
    note = wall.write(site, people["anna"], "gone")
    wall.delete(site, people["mo"], note.id)
    assert told(people["anna"]) == ["What you wrote was taken down. Reason: a reason"]
    with pytest.raises(Conflict, match="over"):
        appeal(site, people["anna"])
    with later(days=800), site.db.write() as session:
        assert personal.prune(session, utcnow() - dt.timedelta(days=730)) == 1
        assert session.scalar(select(func.count()).select_from(Case)) == 0


def test_ones_own_deletion_is_no_decision(site, people, wall, told):
    note = wall.write(site, people["anna"], "a slip")
    wall.delete(site, people["anna"], note.id)
    assert told(people["anna"]) == []
    assert own(site, people["anna"]) == []


def test_shown_again_from_the_bin_the_appeal_is_answered(site, people, wall, told, deleted):
    appeal(site, people["anna"])
    with site.db.write() as session:
        [line], _more = bin.page(session, people["mo"].id)
        bin.restore(session, people["mo"].id, line.row.id, why="By mistake.")
    [line] = own(site, people["anna"])
    assert (line.row.state, line.row.appeal_reason, line.row.appealable) == ("restored", "By mistake.", False)
    assert not any("appeals" in text for text in told(people["ada"]))


def test_a_spaces_appeal_goes_to_its_other_moderators_else_to_the_sites(site, people, wall, told):
    space = make_space(
        site, "garden", visibility="public", members=[people["anna"]], managers=[people["max"], people["cleo"]]
    )  # fmt: skip
    note = wall.write(site, people["anna"], "weeds", space=space)
    wall.delete(site, people["max"], note.id)
    number = appeal(site, people["anna"]).id
    assert any("appeals" in text for text in told(people["cleo"]))
    assert not any("appeals" in text for name in ("max", "mo", "ada") for text in told(people[name]))
    with pytest.raises(Forbidden):
        answer(site, people["max"], number, grant=False)
    answer(site, people["cleo"], number, grant=False)
    alone = make_space(site, "shed", visibility="public", members=[people["anna"]], managers=[people["max"]])
    note = wall.write(site, people["anna"], "tools", space=alone)
    wall.delete(site, people["max"], note.id)
    appeal(site, people["anna"])
    assert any("appeals" in text for text in told(people["ada"]))
    assert not any("appeals" in text for text in told(people["max"]))


def test_who_reported_it_learns_that_it_is_gone(site, people, wall, told):
    from rse_core.api import ObjectRef

    note = wall.write(site, people["anna"], "an insult")
    with site.db.write() as session:
        cases.report(session, people["ben"].id, ObjectRef("wall.note", str(note.id)), kind="hurtful")
    wall.delete(site, people["mo"], note.id)
    assert told(people["ben"]) == ["What you reported was taken down. Thank you for telling."]


def test_by_forms_and_rest(site, people, wall, client, deleted):
    anna = client(people["anna"])
    mine = anna.get("/rse/api/v1/governance/reports/mine").get_json()["items"]
    assert [(one["text"], one["reason"], one["appealable"]) for one in mine] == [("an insult", "a reason", True)]
    assert mine[0]["appeal_until"]
    page = anna.get("/rse/moderation/mine").text
    assert "You may appeal once, until" in page
    address = f"/rse/api/v1/governance/reports/{mine[0]['id']}/appeal"
    headers = csrf(anna)
    assert anna.put(address, json={"text": " "}, headers=headers).status_code == 422
    assert anna.put(address, json={"text": "A quotation."}, headers=headers).status_code == 204
    assert anna.put(address, json={"text": "A quotation."}, headers=headers).status_code == 409
    assert "Your appeal waits" in anna.get("/rse/moderation/mine").text
    ada = client(people["ada"])
    assert "A quotation." in ada.get("/rse/moderation/reports?state=appealed").text
    body = {"grant": True, "reason": "Indeed."}
    assert ada.post(address, json=body, headers=csrf(ada)).status_code == 204
    assert "Shown again after your appeal." in anna.get("/rse/moderation/mine").text


def test_every_step_is_in_the_log(site, people, wall, deleted):
    from rse_governance import log

    number = appeal(site, people["anna"]).id
    answer(site, people["ada"], number, grant=True)
    with site.db.read() as session:
        acts = {row.act: row for row in log.page(session, people["mo"].id, log.Asked())[0]}
    assert acts["governance.appealed"].actor == "anna"
    assert (acts["governance.appeal_decided"].actor, acts["governance.appeal_decided"].why) == ("ada", "Looked at again.")


def test_the_only_moderator_does_not_answer_the_appeal(site, people, wall, deleted):
    with site.db.write() as session:
        roles.revoke(session, people["ada"].id, "site_admin", actor=ACTOR, force=True)
    number = appeal(site, people["anna"]).id
    with pytest.raises(Forbidden, match="another moderator"):
        answer(site, people["mo"], number, grant=True)
    assert wall.notes[deleted.id].state == "deleted"
