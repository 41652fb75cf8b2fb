"""Sessions that a hand-off began: listed, ended here and elsewhere, never another's, over when the person has left."""

from __future__ import annotations

import datetime as dt
import json
import re
import time

import pytest
import time_machine
from click.testing import CliRunner
from sqlalchemy import select, update

from rse_core import people, sessions, signins
from rse_core.api import Actor, utcnow
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.extension import create_app
from rse_core.models.runtime import SignedSession
from rse_core.testing import make_person
from rse_sso.keys import new_secret
from rse_sso.plugin import Sso
from rse_sso.token import TokenRules, encode, make_claims

KEY = new_secret()
RULES = TokenRules(keys={"k1": KEY}, issuer="https://intranet.test", audience="rse")
HERE, API = "/rse/me/sessions", "/rse/api/v1/me/sessions"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604"


@pytest.fixture
def core(rse_core):
    section = {"sources": ["handoff"], "handoff": {"issuer": RULES.issuer, "keys": {"k1": KEY}}}
    core = rse_core([Sso()], identity=False, sections={"sso": section})
    make_person(core, "u1042", name="Hélène Dupont")
    make_person(core, "u2001", name="Alice Martin")
    return core


@pytest.fixture
def app(core):
    app = create_app(core)
    app.testing = True
    return app


@pytest.fixture
def browser(app):
    """``browser("u1042")``: a browser in which this person has signed in."""

    def browser(subject="u1042", agent=FIREFOX):
        client = app.test_client()
        client.environ_base.update(HTTP_ACCEPT_LANGUAGE="en", HTTP_USER_AGENT=agent)
        token = encode(make_claims(RULES, subject, now=int(time.time())), KEY, kid="k1")
        assert client.get(f"/rse/handoff?rse_handoff={token}").status_code == 303
        return client

    return browser


def name_of(client):
    """Who the browser is signed in as; None for nobody."""
    answer = client.get("/rse/api/v1/me")
    return answer.json["username"] if answer.status_code == 200 else None


def post(client, **form):
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(HERE).text)[1]
    return client.post(HERE, data={"csrf_token": token, **form})


def rows(core):
    with core.db.read() as session:
        return session.scalars(select(SignedSession).order_by(SignedSession.id)).all()


def test_each_browser_is_listed_and_the_one_that_asks_is_marked(core, browser):
    here = browser()
    browser(agent=PHONE)
    browser("u2001")
    page = here.get(HERE).text
    assert "Firefox, Linux" in page
    assert "Safari, iPhone" in page
    assert page.count("this browser") == 1
    shown = here.get(API).json
    assert [(one["label"], one["mine"]) for one in shown] == [("Safari, iPhone", False), ("Firefox, Linux", True)]
    assert {row.issuer for row in rows(core)} == {RULES.issuer}
    assert "u1042" not in str([row.digest for row in rows(core)])


def test_a_session_ended_from_another_browser_is_over_at_its_next_request(core, browser):
    here, there = browser(), browser(agent=PHONE)
    number = next(one["id"] for one in here.get(API).json if not one["mine"])
    assert post(here, session=str(number)).status_code == 303
    assert name_of(there) is None
    assert name_of(here) == "u1042"
    assert there.get(HERE).status_code == 401
    assert "The session was ended." in here.get(HERE).text


def test_all_others_are_ended_and_this_one_stays(browser):
    here, *others = (browser() for _ in range(4))
    assert post(here, session="others").status_code == 303
    assert [name_of(one) for one in (here, *others)] == ["u1042", None, None, None]


def test_another_persons_session_is_not_there_for_me(core, browser):
    here, theirs = browser(), browser("u2001")
    number = next(row.id for row in rows(core) if row.person_id != rows(core)[0].person_id)
    assert post(here, session=str(number)).status_code == 404
    token = re.search(r'name="csrf_token" value="([^"]+)"', here.get(HERE).text)[1]
    assert here.delete(f"{API}/{number}", headers={"X-RSE-CSRF": token}).status_code == 404
    assert post(here, session="-1").status_code == 422
    assert post(here, session="").status_code == 422
    assert name_of(theirs) == "u2001"


def test_without_the_token_of_the_form_nothing_is_ended(browser):
    here, there = browser(), browser()
    assert here.post(HERE, data={"session": "others"}).status_code == 403
    assert here.delete(API).status_code == 403
    assert name_of(there) == "u1042"


def test_a_cookie_kept_after_signing_out_is_worth_nothing(core, browser):
    here = browser()
    cookie = here.get_cookie(core.settings.session_cookie)
    token = re.search(r'name="csrf_token" value="([^"]+)"', here.get(HERE).text)[1]
    assert here.post("/rse/sign-out", data={"csrf_token": token}).status_code == 303
    here.set_cookie(cookie.key, cookie.value)
    assert name_of(here) is None
    assert [row.ended_why for row in rows(core)] == ["signed out"]


def test_who_has_left_or_was_unlinked_is_signed_out_everywhere_and_stays_so(core, browser):
    helene, alice = browser(), browser("u2001")
    with core.db.write() as session:
        people.disable(session, people.by_username(session, "u1042").id)
        signins.unlink_identities(session, people.by_username(session, "u2001").id, actor=Actor("cli:test"))
    assert (name_of(helene), name_of(alice)) == (None, None)
    with core.db.write() as session:
        people.enable(session, people.by_username(session, "u1042").id)
    assert name_of(helene) is None, "an old cookie does not come back with the person"


def test_a_provider_ends_one_session_or_all_of_somebody(core, browser):
    first, second, other = browser(), browser(), browser("u2001")
    with core.db.write() as session:
        number = min(row.id for row in rows(core))
        session.execute(update(SignedSession).where(SignedSession.id == number).values(sid="p-1"))
    with core.db.write() as session:
        assert sessions.end(session, issuer="https://elsewhere.test", sid="p-1") == 0
        assert sessions.end(session, issuer=RULES.issuer) == 0
        assert sessions.end(session, issuer=RULES.issuer, sid="p-1") == 1
    assert [name_of(one) for one in (first, second, other)] == [None, "u1042", "u2001"]
    with core.db.write() as session:
        assert sessions.end(session, issuer=RULES.issuer, subject="u1042") == 1
    assert [name_of(one) for one in (second, other)] == [None, "u2001"]


def test_a_session_that_is_used_lasts_and_one_that_is_not_expires(core, browser):
    here, idle = browser(), browser()
    hours = core.settings.session_hours
    with time_machine.travel(utcnow() + dt.timedelta(hours=hours - 1), tick=False):
        assert name_of(here) == "u1042"
    with time_machine.travel(utcnow() + dt.timedelta(hours=hours + 1), tick=False):
        assert (name_of(here), name_of(idle)) == ("u1042", None)


def test_a_cookie_of_a_time_without_rows_is_signed_out_once(core, app, browser):
    here = browser()
    with here.session_transaction() as kept:
        del kept["s"]
    assert name_of(here) is None
    with here.session_transaction() as kept:
        assert "signed" not in kept


def test_so_many_at_once_and_no_more(core, browser):
    first = browser()
    for _ in range(sessions.MOST):
        browser()
    assert name_of(first) is None
    assert sum(row.ended_at is None for row in rows(core)) == sessions.MOST


def test_what_was_over_for_long_is_forgotten(core, browser):
    here = browser()
    post(here, session="others")
    with core.db.write() as session:
        sessions.prune(session)
    assert len(rows(core)) == 1
    with time_machine.travel(utcnow() + sessions.KEPT + dt.timedelta(days=3)), core.db.write() as session:
        sessions.prune(session)
    assert rows(core) == []


def test_the_command_shows_and_ends_them(core, browser):
    here = browser()

    def rse(*words):
        return CliRunner(env={"LC_ALL": "C"}).invoke(cli, ["people", "sessions", *words], obj=State(lambda: core))

    assert "Firefox, Linux" in rse("u1042").output
    assert len(json.loads(rse("u1042", "--json").stdout)) == 1
    assert "1 session was ended." in rse("u1042", "--end").output
    assert name_of(here) is None
    assert "Nobody is signed in there." in rse("u1042").output


@pytest.mark.parametrize(
    ("agent", "label"),
    [
        (FIREFOX, "Firefox, Linux"), (PHONE, "Safari, iPhone"), ("", ""), ("curl/8", ""),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("<script>alert(1)</script>" * 20, ""),
    ],
)  # fmt: skip
def test_a_browser_is_named_shortly(agent, label):
    assert sessions.browser(agent) == label
