"""The pages and their forms, without JavaScript; who may open which; a refused form keeps what was typed."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine

from rse_core import roles
from rse_core.api import Actor, ObjectRef, Target, utcnow
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_space
from rse_governance import cases, charters, tools, wording

HERE = "/rse/moderation/"
ACTOR = Actor("cli:tests")


def token_of(browser, path="/rse/me/"):
    return re.search(r'name="csrf_token" value="([^"]+)"', browser.get(path).text)[1]


def post(browser, path, **form):
    return browser.post(HERE + path, data={"csrf_token": token_of(browser), **form})


def test_sections_are_for_those_who_have_something_to_do_in_them(site, people, client):
    make_space(site, "garden", managers=[people["max"]])
    with site.db.write() as session:
        roles.grant(session, people["cleo"].id, "moderator", scope="space", scope_id=1, actor=ACTOR)
    expected = {
        "": {"mo": 200, "ada": 200, "max": 200, "cleo": 200, "anna": 403},
        "reports": {"mo": 200, "max": 200, "anna": 403},
        "bin": {"mo": 200, "max": 200, "anna": 403},
        "words": {"mo": 200, "max": 200, "anna": 403},
        "charters": {"mo": 200, "anna": 200},
        "suspensions": {"mo": 200, "ada": 200, "max": 403, "anna": 403},
        "log": {"mo": 200, "max": 403, "anna": 403},
        "tools": {"ada": 200, "anna": 200},
        "processing": {"ada": 200, "mo": 403, "anna": 403},
        "mine": {"anna": 200, "mo": 200},
        "data": {"anna": 200},
    }
    got = {
        path: {name: client(people[name]).get(HERE + path).status_code for name in some} for path, some in expected.items()
    }
    assert got == expected
    assert client(None).get(HERE).status_code == 401


def test_the_navigation_leads_there_only_those_who_moderate_with_a_number(site, people, moderated, wall, client):
    wall.write(site, people["anna"], "a text")
    assert HERE not in client(people["anna"]).get("/rse/").text.replace("/rse/moderation/-", "")
    page = client(people["mo"]).get("/rse/").text
    assert f'href="{HERE}"' in page
    assert '<span class="rse-count-badge">1</span>' in page


def test_the_whole_round_by_forms(site, people, moderated, wall, client):
    wall.write(site, people["anna"], "<b>bold</b> text")
    mo = client(people["mo"])
    page = mo.get(HERE).text
    assert "&lt;b&gt;bold&lt;/b&gt; text" in page
    number = re.search(r'name="held" value="(\d+)"', page)[1]
    refused = post(mo, "", held=number, act="refuse", reason="", form=number)
    assert refused.status_code == 422
    assert "Give the reason" in refused.text
    assert post(mo, "", held=number, act="shred").status_code == 422
    edit = mo.get(f"{HERE}held/{number}").text
    seen = re.search(r'name="seen" value="([^"]+)"', edit)[1]
    assert post(mo, f"held/{number}", body="plain text", seen=seen, act="save").status_code == 303
    stale = post(mo, f"held/{number}", body="my correction", seen=seen, act="save")
    assert stale.status_code == 409
    assert "my correction" in stale.text
    assert post(mo, "", held=number, act="approve").status_code == 303
    assert "1 text approved." in mo.get(HERE).text
    mine = client(people["anna"]).get(HERE + "mine").text
    assert "It was approved." in mine
    assert "plain text" in mine


def test_a_form_without_a_token_decides_nothing(site, people, moderated, wall, client):
    wall.write(site, people["anna"], "a text")
    mo = client(people["mo"])
    assert mo.post(HERE, data={"held": "1", "act": "approve"}).status_code == 403
    assert "a text" in mo.get(HERE).text


def test_reporting_and_deciding_by_forms(site, people, wall, client):
    note = wall.write(site, people["anna"], "an insult")
    ben = client(people["ben"])
    page = ben.get(f"{HERE}report?ref=wall.note:{note.id}")
    assert page.status_code == 200
    again = post(ben, "report", ref=f"wall.note:{note.id}", kind="other", text="", return_to="/rse/")
    assert again.status_code == 422
    assert "Say what is wrong." in again.text
    assert post(ben, "report", ref=f"wall.note:{note.id}", kind="hurtful", return_to="/news/1").status_code == 303
    done = ben.get(HERE + "report/done?return_to=/news/1").text
    assert 'href="/news/1"' in done
    assert 'href="https://evil.example"' not in ben.get(HERE + "report/done?return_to=https://evil.example").text
    assert ben.get(f"{HERE}report?ref=wall.note:987").status_code == 404
    mo = client(people["mo"])
    listed = mo.get(HERE + "reports").text
    assert "Ben Dubois" in listed
    number, version = re.search(r"/cases/(\d+)", listed)[1], re.search(r'name="version" value="(\d+)"', listed)[1]
    empty = post(mo, f"cases/{number}", act="hide", reason="", version=version)
    assert empty.status_code == 422
    assert post(mo, f"cases/{number}", act="hide", reason="It insults.", version=version).status_code == 303
    anna = client(people["anna"])
    mine = anna.get(HERE + "mine").text
    assert "It insults." in mine
    assert "Ben" not in mine
    assert post(anna, f"cases/{number}/appeal", text="I quoted.").status_code == 303
    assert post(mo, f"cases/{number}/appeal-decision", act="grant", reason="x").status_code == 403
    ada = client(people["ada"])
    assert "I quoted." in ada.get(HERE + "reports?state=appealed").text
    assert post(ada, f"cases/{number}/appeal-decision", act="grant", reason="A quotation.").status_code == 303
    assert "Shown again after your appeal." in anna.get(HERE + "mine").text


def test_what_is_typed_stays_in_a_refused_form(site, people, client):
    mo, ada = client(people["mo"]), client(people["ada"])
    words = post(mo, "words", where="space:nowhere", what="hold", words="mon mot", message="Une phrase")
    assert words.status_code == 404
    assert "mon mot" in words.text
    assert "Une phrase" in words.text
    susp = post(mo, "suspensions", person="nobody", days="7", reason="A whole sentence here.")
    assert susp.status_code == 404
    assert "A whole sentence here." in susp.text
    tool = post(ada, "tools", use="To ask", tool="", address="/x")
    assert tool.status_code == 422
    assert 'value="To ask"' in tool.text
    charter = post(ada, "charters", title="", body="My text", kind="use", seen="0")
    assert charter.status_code == 422
    assert "My text" in charter.text


def test_word_rules_are_tried_on_a_page(site, people, client):
    mo = client(people["mo"])
    assert post(mo, "words", where="site", what="hold", words="Œuf\nmot", message="").status_code == 303
    assert "oeuf" in post(mo, "words", act="try", text="un OEUF dur").text
    assert "No rule finds anything" in post(mo, "words", act="try", text="rien").text
    assert post(mo, "words/1", act="remove").status_code == 303
    assert client(people["anna"]).get(HERE + "words/1").status_code in (403, 404)


def test_versions_are_compared_on_a_page_with_words_for_the_colours(site, people, client):
    with site.db.write() as session:
        first = charters.publish(session, people["ada"].id, title="Charter", body="Be kind.")
        second = charters.publish(session, people["ada"].id, title="Charter", body="Be very kind.")
        guide = charters.publish(session, people["ada"].id, title="Guide", body="x", kind="editorial")
    anna = client(people["anna"])
    page = anna.get(f"{HERE}charters/compare?from={first.id}&to={second.id}").text
    assert re.search(r"<ins><span class=\"rse-hidden\">Added: </span>.*?very", page)
    assert anna.get(f"{HERE}charters/compare?from={first.id}&to={guide.id}").status_code == 422
    assert anna.get(f"{HERE}charters/compare?from=x&to=1").status_code == 422
    assert anna.get(f"{HERE}charters/{first.id}/accepted").status_code == 403
    assert client(people["ada"]).get(f"{HERE}charters/{first.id}/rates").status_code == 200


def test_beside_a_form_stand_the_register_and_the_guide(site, people, client):
    from flask import g

    from rse_core.extension import create_app
    from rse_core.webapi import slot_markup

    with site.db.write() as session:
        line = tools.save(session, people["ada"].id, use="Ask everybody", tool="The feed")
        charters.publish(session, people["ada"].id, title="How we write", body="Short.", kind="editorial")
        soon = utcnow() + dt.timedelta(days=3)
        charters.publish(
            session, people["ada"].id, title="How we shall write", body="Shorter.", kind="editorial", published_at=soon
        )
    app = create_app(site)
    ref = ObjectRef("core.writing", "anywhere")

    def beside():
        with app.test_request_context("/rse/"), site.db.read() as session:
            g.rse_person = people["anna"]
            with count_queries(site) as queries:
                html = slot_markup(session, "composer", [ref]).get(ref, "")
        return html, len(queries)

    html, _first = beside()
    assert "Ask everybody" in html
    assert "How we write" in html
    assert beside() == (html, 0), "it stands on every page on which one writes: from memory"
    with time_machine.travel(soon + dt.timedelta(minutes=1)):
        assert "How we shall write" in beside()[0]
    with site.db.write() as session:
        tools.remove(session, people["ada"].id, line.id)
    assert "Ask everybody" not in beside()[0]


@pytest.mark.parametrize(
    "path", ["?state=all", "?after=junk", "reports?state=x", "charters?kind=x", "log?since=x", "report?ref=x"]
)
def test_addresses_that_make_no_sense_are_refused_with_a_sentence(site, people, client, path):
    assert client(people["mo"]).get(HERE + path).status_code == 422


def test_a_secret_space_is_in_no_page_of_a_moderator_of_the_site(site, people, moderated, wall, client):
    space = make_space(site, "zebra", name="Zebra", visibility="secret", members=[people["anna"]], managers=[people["max"]])
    wall.write(site, people["anna"], "zebra text", space=space)
    with site.db.write() as session:
        wording.add(session, people["max"].id, where="space:zebra", act="note", words="zebra")
        note = wall.notes[1]
        target = Target(note.audience_id, space_id=note.space_id, author_id=note.author_id)
        cases.note(session, ObjectRef("wall.note", "1"), author_id=people["anna"].id, target=target)
    mo = client(people["mo"])
    for path in ("", "reports", "bin", "words", "charters", "log"):
        assert "ebra" not in mo.get(HERE + path).text, path
    assert mo.get(HERE + "charters?space=zebra").status_code == 404
    assert "zebra text" in client(people["max"]).get(HERE).text

