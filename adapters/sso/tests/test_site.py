"""The adapter in a running RSE: who is recognised, how a session begins, what is shown when it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Blueprint
from flask.testing import FlaskClient
from sqlalchemy import func, select

from rse_core.api import Core, Manifest, Plugin, hookimpl
from rse_core.extension import create_app
from rse_core.testing import assert_plugin_contract, make_person
from rse_core.webapi import require_person
from rse_sso.keys import new_secret
from rse_sso.models import Nonce
from rse_sso.plugin import Sso
from rse_sso.token import TokenRules, encode, make_claims

SECRET, KEY = new_secret(), new_secret()
RULES = TokenRules(keys={"k1": KEY}, issuer="https://intranet.test", audience="rse")
WHO = "/rse/probe/who"


class Probe(Plugin):
    """Says who is asking; its form needs a person."""

    manifest = Manifest("probe", "Probe")

    @hookimpl
    def rse_blueprints(self) -> list[Blueprint]:
        blueprint = Blueprint("rse_probe", __name__, url_prefix="/probe")

        @blueprint.get("/who")
        def who() -> str:
            from rse_core.webapi import current_person

            person = current_person()
            return person.username if person else "nobody"

        @blueprint.post("/write")
        def write() -> str:
            return require_person().username

        return [blueprint]


def section(**handoff: Any) -> dict[str, Any]:
    return {
        "sources": ["header", "handoff"],
        "login_url": "https://portal.test/?url={return_to}",
        "header": {"secrets": [SECRET], "peers": ["127.0.0.1"]},
        "handoff": {"issuer": RULES.issuer, "keys": {"k1": KEY}, **handoff},
    }


Site = Callable[..., tuple[Core, FlaskClient]]


@pytest.fixture
def site(rse_core: Any) -> Site:
    """``site(**handoff)``: a core with Hélène and Alice, and a client that is no proxy."""

    def make(**handoff: Any) -> tuple[Core, FlaskClient]:
        core = rse_core([Sso(), Probe()], identity=False, sections={"sso": section(**handoff)})
        make_person(core, "u1042", name="Hélène Dupont")
        make_person(core, "u2001", name="Alice Martin")
        app = create_app(core)
        app.testing = True
        client = app.test_client()
        client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
        return core, client

    return make


def token(subject: str = "u1042", **changes: Any) -> str:
    return encode(make_claims(RULES, subject, now=int(time.time())) | changes, KEY)


def proxied(user: str) -> dict[str, Any]:
    return {
        "headers": {"X-RSE-User": user, "X-RSE-Proxy-Secret": SECRET},
        "environ_overrides": {"REMOTE_ADDR": "127.0.0.1"},
    }


def who(client: FlaskClient, **options: Any) -> str:
    answer = client.get(WHO, **options)
    assert answer.status_code == 200
    return answer.text


def test_the_adapter_keeps_the_contract_of_plugins() -> None:
    assert_plugin_contract(Sso())


def test_the_proxys_person_is_recognised_and_a_spoof_is_nobody(site: Site) -> None:
    _, client = site()
    assert who(client, **proxied("u1042")) == "u1042"
    assert who(client, headers={"X-RSE-User": "u1042", "X-RSE-Proxy-Secret": SECRET}) == "nobody"
    assert who(client, headers={"X-RSE-User": "u1042", "X-Forwarded-For": "127.0.0.1"}) == "nobody"
    assert who(client, **proxied("-")) == "nobody"


def test_a_header_that_cannot_be_believed_gives_a_page_in_the_readers_language(site: Site) -> None:
    _, client = site()
    options = proxied("u1042,u2001")
    french = client.get(WHO, **{**options, "headers": {**options["headers"], "Accept-Language": "fr"}})
    english = client.get(WHO, **{**options, "headers": {**options["headers"], "Accept-Language": "en"}})
    assert (french.status_code, english.status_code) == (500, 500)
    assert "La connexion à ce site est mal configurée." in french.text
    assert "The sign-in of this site is not set up correctly." in english.text


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_hand_off_begins_a_session_and_leads_to_the_page(site: Site, method: str) -> None:
    core, client = site()
    sent = {"rse_handoff": token(return_to="/actualites/42?page=2")}
    carrier = "query_string" if method == "get" else "data"
    answer = client.open("/rse/handoff", method=method.upper(), **{carrier: sent})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/actualites/42?page=2")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert who(client) == "u1042"
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Nonce)) == 1


@pytest.mark.parametrize("elsewhere", ["https://evil.test/", "//evil.test/", "/\\evil.test"])
def test_a_hand_off_leads_nowhere_but_to_this_origin(site: Site, elsewhere: str) -> None:
    _, client = site()
    answer = client.get("/rse/handoff", query_string={"rse_handoff": token(return_to=elsewhere)})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/rse/")


def test_a_token_used_again_is_refused_in_words_a_person_understands(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    _, client = site()
    sent = {"rse_handoff": token()}
    client.get("/rse/handoff", query_string=sent)
    stranger = client.application.test_client()
    answer = stranger.get("/rse/handoff", query_string=sent, headers={"Accept-Language": "fr"})
    assert answer.status_code == 403
    assert "Ce lien de connexion a déjà servi." in answer.text
    assert sent["rse_handoff"] not in caplog.text
    assert sent["rse_handoff"] not in stranger.post("/rse/handoff", data=sent).text
    assert "reason=token_replayed peer=127.0.0.1" in caplog.text
    assert who(stranger) == "nobody"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"iat": 1_700_000_000, "exp": 1_700_000_060}, "This sign-in link is out of date."),
        ({"aud": "payroll"}, "Your sign-in could not be verified."),
        ({"iat": 4_000_000_000, "exp": 4_000_000_060}, "Your sign-in could not be verified."),
        ({"sub": "u9999"}, "this service does not know your account."),
    ],
)
def test_a_token_that_is_refused_begins_no_session(site: Site, changes: dict[str, Any], words: str) -> None:
    _, client = site()
    answer = client.get("/rse/handoff", query_string={"rse_handoff": token(**changes)}, headers={"Accept-Language": "en"})
    assert answer.status_code == 403
    assert words in answer.text
    assert who(client) == "nobody"


@pytest.mark.parametrize("sent", ["", "x", "a.b.c", "é" * 10, "x" * 8000])
def test_rubbish_is_refused_with_a_page(site: Site, sent: str) -> None:
    _, client = site()
    assert client.get("/rse/handoff", query_string={"rse_handoff": sent}).status_code == 403
    assert client.post("/rse/handoff", data={"rse_handoff": sent}).status_code == 403


def test_two_different_tokens_at_once_are_refused_and_neither_is_used_up(site: Site) -> None:
    _, client = site()
    one, other = token(), token("u2001")
    answer = client.post(f"/rse/handoff?rse_handoff={one}", data={"rse_handoff": other})
    assert answer.status_code == 403
    assert client.get("/rse/handoff", query_string={"rse_handoff": one}).status_code == 303


def test_scanners_and_prefetching_browsers_do_not_use_the_token_up(site: Site) -> None:
    _, client = site()
    sent = {"rse_handoff": token()}
    assert client.head("/rse/handoff", query_string=sent).status_code == 204
    looked = client.get("/rse/handoff", query_string=sent, headers={"Sec-Purpose": "prefetch;prerender"})
    assert looked.status_code == 204
    assert client.get("/rse/handoff", query_string=sent).status_code == 303


def test_a_foreign_page_cannot_sign_its_visitor_in_unless_the_site_says_so(site: Site) -> None:
    _, client = site()
    foreign = {"Sec-Fetch-Site": "cross-site"}
    sent = {"rse_handoff": token()}
    assert client.get("/rse/handoff", query_string=sent, headers=foreign).status_code == 403
    assert client.get("/rse/handoff", query_string=sent).status_code == 403
    assert who(client) == "nobody"
    _, permissive = site(allow_cross_site=True)
    answer = permissive.get("/rse/handoff", query_string={"rse_handoff": token()}, headers=foreign)
    assert answer.status_code == 303


def test_a_new_hand_off_ends_the_session_of_the_person_before(site: Site) -> None:
    _, client = site()
    client.get("/rse/handoff", query_string={"rse_handoff": token()})
    client.get("/rse/handoff", query_string={"rse_handoff": token("u2001")})
    assert who(client) == "u2001"


def test_the_proxys_person_ends_the_session_of_somebody_else(site: Site) -> None:
    _, client = site()
    client.get("/rse/handoff", query_string={"rse_handoff": token()})
    assert who(client, **proxied("u2001")) == "u2001"
    assert who(client) == "nobody"


def test_a_cookie_begins_a_session_once_and_is_taken_away(site: Site) -> None:
    _, client = site(accept_cookie=True)
    client.set_cookie("rse_handoff", token(), domain="localhost")
    answer = client.get(WHO)
    assert answer.text == "u1042"
    assert client.get_cookie("rse_handoff", domain="localhost") is None
    assert who(client) == "u1042"


def test_a_cookie_that_has_served_is_ignored_and_taken_away(site: Site) -> None:
    _, client = site(accept_cookie=True)
    used = token()
    client.get("/rse/handoff", query_string={"rse_handoff": used})
    stranger = client.application.test_client()
    stranger.set_cookie("rse_handoff", used, domain="localhost")
    assert who(stranger) == "nobody"
    assert stranger.get_cookie("rse_handoff", domain="localhost") is None


def test_a_cookie_is_left_alone_when_it_is_not_accepted(site: Site) -> None:
    _, client = site()
    client.set_cookie("rse_handoff", token(), domain="localhost")
    assert who(client) == "nobody"
    assert client.get_cookie("rse_handoff", domain="localhost") is not None


def test_a_token_in_a_header_serves_the_one_request_and_begins_no_session(site: Site) -> None:
    _, client = site(accept_header=True)
    assert who(client, headers={"X-RSE-Handoff": token()}) == "u1042"
    assert who(client) == "nobody"


def test_people_are_known_by_issuer_and_subject_even_after_their_name_has_changed(site: Site) -> None:
    from rse_core.models.organisation import Person

    core, client = site()
    assert who(client, **proxied("u1042")) == "u1042"
    with core.db.write() as session:
        person = session.scalars(select(Person).where(Person.username == "u1042")).one()
        person.username = "h.dupont"
    assert who(client, **proxied("u1042")) == "h.dupont"


def test_a_first_visit_creates_nobody(site: Site) -> None:
    from rse_core.models.organisation import Person

    core, client = site()
    assert who(client, **proxied("stranger")) == "nobody"
    assert client.get("/rse/handoff", query_string={"rse_handoff": token("stranger")}).status_code == 403
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 2


def test_a_call_after_the_session_has_expired_says_where_to_sign_in_again(site: Site) -> None:
    _, client = site()
    client.get("/rse/handoff", query_string={"rse_handoff": token()})
    stale = client.get("/rse/embed/slots?address=/actualites/42&slots=comments").headers["X-RSE-CSRF"]
    assert stale
    client.delete_cookie("rse_session", domain="localhost")
    fresh = client.get(WHO)
    assert fresh.text == "nobody"
    answer = client.post(
        "/rse/probe/write",
        data={"return_to": "/actualites/42"},
        headers={"X-RSE-Embed": "1", "X-RSE-CSRF": _csrf(client), "Accept": "application/json"},
    )
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "RSE")
    assert answer.mimetype == "application/problem+json"
    parts = urlsplit(answer.get_json()["login_url"])
    assert (parts.netloc, parse_qs(parts.query)) == ("portal.test", {"url": ["/actualites/42"]})


def _csrf(client: FlaskClient) -> str:
    """The token of a session in which nobody is signed in: what a refused call answers with."""
    refused = client.post("/rse/probe/write", headers={"X-RSE-Embed": "1", "Accept": "application/json"})
    return refused.headers["X-RSE-CSRF"]


def test_a_mistake_in_the_settings_quarantines_the_adapter_and_the_rest_serves(rse_core: Any) -> None:
    broken = {"sources": ["header"], "header": {"peers": ["0.0.0.0/0"], "secrets": [SECRET]}}
    core = rse_core([Sso(), Probe()], identity=False, strict=False, sections={"sso": broken})
    state = core.plugins.states["sso"]
    assert state.status == "quarantined"
    assert "0.0.0.0/0" in f"{state.reason} {state.remedy}"
    client = create_app(core).test_client()
    assert who(client, **proxied("u1042")) == "nobody"


def test_the_commands_are_those_of_rse(site: Site) -> None:
    from click.testing import CliRunner

    from rse_core.cli import cli
    from rse_core.commands import State

    core, client = site()

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(cli, ["sso", *arguments], obj=State(lambda: core))

    made = run("token", "--user", "u1042")
    assert made.exit_code == 0
    assert client.get("/rse/handoff", query_string={"rse_handoff": made.output.strip()}).status_code == 303
    assert run("check").exit_code == 1  # the kit's cookies travel in the clear
    refused = run("token", "--user", "u1042", "--kid", "k9")
    assert refused.exit_code == 1
    assert "Known: k1" in refused.output


def test_used_nonces_are_pruned_by_a_job_of_the_core(site: Site) -> None:
    from rse_core.contributions import Job

    core, _ = site()
    assert ("sso", "sso.prune_nonces") in [(owner, job.name) for owner, job in core.plugins.contributions(Job)]
