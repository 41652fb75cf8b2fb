"""CAS 3 against a server on loopback that misbehaves in each way."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Blueprint
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from rse_core.api import Core, Manifest, Plugin, hookimpl
from rse_core.extension import create_app
from rse_core.testing import make_person
from rse_core.webapi import current_identity, current_person
from rse_sso.cas_ticket import parse_logout, parse_validation
from rse_sso.plugin import Sso
from rse_sso.reasons import Reason, SsoRefused

sys.path.insert(0, str(Path(__file__).parent))
from cas_on_loopback import CasOnLoopback, failure, logout_request, success, wrapped

WHO = "/rse/probe/who"
EN = {"Accept-Language": "en"}


class Probe(Plugin):
    """Says who is asking."""

    manifest = Manifest("probe", "Probe")

    @hookimpl
    def rse_blueprints(self) -> list[Blueprint]:
        blueprint = Blueprint("rse_probe", __name__, url_prefix="/probe")

        @blueprint.get("/who")
        def who() -> str:
            person = current_person()
            return person.username if person and current_identity() else "nobody"

        return [blueprint]


@pytest.fixture
def server() -> Iterator[CasOnLoopback]:
    made = CasOnLoopback()
    made.start()
    yield made
    made.stop()


Site = Callable[..., tuple[Core, FlaskClient]]


@pytest.fixture
def site(rse_core: Any, server: CasOnLoopback) -> Site:
    def make(**changes: Any) -> tuple[Core, FlaskClient]:
        table = {"server_url": server.url, "service_url": "http://localhost/rse/cas/callback", "name": "cn", **changes}
        core = rse_core([Sso(), Probe()], identity=False, sections={"sso": {"sources": ["cas"], "cas": table}})
        make_person(core, "hdupont", name="Hélène Dupont")
        make_person(core, "amartin", name="Alice Martin")
        app = create_app(core)
        app.testing = True
        return core, app.test_client()

    return make


def start(client: FlaskClient, return_to: str = "/actualites/42") -> str:
    answer = client.get("/rse/cas/start", query_string={"return_to": return_to})
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def come_back(client: FlaskClient, address: str) -> Any:
    parts = urlsplit(address)
    return client.get(f"{parts.path}?{parts.query}", headers=EN)


def sign_in(client: FlaskClient, server: CasOnLoopback, return_to: str = "/actualites/42") -> Any:
    return come_back(client, server.visit(start(client, return_to)))


def who(client: FlaskClient) -> str:
    return client.get(WHO).text


def refused(client: FlaskClient, answer: Any, words: str, status: int = 403) -> None:
    assert answer.status_code == status, answer.text
    assert words in answer.text
    assert who(client) == "nobody"


def test_a_person_signs_in_and_is_back_on_the_page(site: Site, server: CasOnLoopback) -> None:
    _, client = site()
    answer = sign_in(client, server, "/actualites/42?page=2")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/actualites/42?page=2")
    assert who(client) == "hdupont"
    assert server.asked[0]["service"].startswith("http://localhost/rse/cas/callback?attempt=")


def test_a_ticket_serves_once_and_the_server_is_not_even_asked_again(site: Site, server: CasOnLoopback) -> None:
    _, client = site()
    address = server.visit(start(client))
    (cookie,) = (each for each in client._cookies.values() if each.key.startswith("rse_attempt_"))
    assert come_back(client, address).status_code == 303
    server.raw = (200, {}, success("hdupont", {}))
    thief = client.application.test_client()
    thief.set_cookie(cookie.key, cookie.value, path="/rse/cas")
    refused(thief, come_back(thief, address), "already been used")
    assert len(server.asked) == 1


def test_a_ticket_is_worth_nothing_in_another_browser_or_for_another_attempt(site: Site, server: CasOnLoopback) -> None:
    _, client = site()
    address = server.visit(start(client))
    victim = client.application.test_client()
    refused(victim, come_back(victim, address), "not begun in this browser")
    other = dict(parse_qsl(urlsplit(start(victim)).query))["service"]
    ticket = dict(parse_qsl(urlsplit(address).query))["ticket"]
    refused(victim, come_back(victim, f"{other}&ticket={ticket}"), "not set up correctly", 500)


@pytest.mark.parametrize(
    "ticket", ["", "PT-abcdefghijkl", "PGT-abcdefghijkl", "ST-x", "ST-abcdefgh%0a<x>", "ST-" + "a" * 600]
)
def test_what_is_no_service_ticket_is_not_even_asked_about(site: Site, server: CasOnLoopback, ticket: str) -> None:
    _, client = site()
    service = dict(parse_qsl(urlsplit(start(client)).query))["service"]
    refused(client, come_back(client, f"{service}&ticket={ticket}"), "could not be verified")
    assert server.asked == []


BOMB = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;">]><a>&c;</a>'
YES = "<cas:authenticationSuccess><cas:user>hdupont</cas:user></cas:authenticationSuccess>"
NO = '<cas:authenticationFailure code="INVALID_TICKET"/>'


@pytest.mark.parametrize(
    ("raw", "words", "status"),
    [
        ((200, {}, failure("INVALID_TICKET")), "could not be verified", 403),
        ((200, {}, failure("UNAUTHORIZED_SERVICE")), "not set up correctly", 500),
        ((503, {}, b""), "at the moment", 503),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "at the moment", 503),
        ((200, {}, b"<html>"), "at the moment", 503),
        ((200, {}, BOMB), "at the moment", 503),
        ((200, {}, b" " * 600_000), "at the moment", 503),
        ((200, {}, wrapped(YES + NO)), "at the moment", 503),
        ((200, {}, wrapped(YES + YES)), "at the moment", 503),
        ((200, {}, wrapped(YES.replace("</cas:user>", "</cas:user><cas:user>amartin</cas:user>"))), "at the moment", 503),
        ((200, {}, wrapped(YES.replace("cas:user", "user"))), "at the moment", 503),
        ((200, {}, success("", {})), "not set up correctly", 500),
        ((200, {}, success("stranger", {})), "does not know your account", 403),
    ],
)
def test_an_answer_that_is_no_clear_yes_begins_no_session(
    site: Site, server: CasOnLoopback, raw: tuple[int, dict[str, str], bytes], words: str, status: int
) -> None:
    _, client = site()
    server.raw = raw
    refused(client, sign_in(client, server), words, status)


def test_a_server_that_is_down_is_a_matter_of_minutes(
    site: Site, server: CasOnLoopback, caplog: pytest.LogCaptureFixture
) -> None:
    _, client = site()
    address = server.visit(start(client))
    server.stop()
    refused(client, come_back(client, address), "cannot be signed in at the moment", 503)
    assert "reason=provider_down" in caplog.text
    assert "ST-" not in caplog.text


def test_the_person_may_be_found_by_an_attribute(site: Site, server: CasOnLoopback) -> None:
    _, client = site(identifier="uid")
    server.user, server.attributes = "opaque-17", {"uid": "amartin"}
    assert sign_in(client, server).status_code == 303
    assert who(client) == "amartin"
    server.attributes = {}
    stranger = client.application.test_client()
    refused(stranger, sign_in(stranger, server), "not set up correctly", 500)


def test_renew_is_asked_for_at_both_places(site: Site, server: CasOnLoopback) -> None:
    _, client = site(renew=True)
    assert dict(parse_qsl(urlsplit(start(client)).query))["renew"] == "true"
    sign_in(client, server)
    assert server.asked[0]["renew"] == "true"


def test_with_gateway_whoever_is_unknown_there_comes_back_as_nobody(site: Site) -> None:
    _, client = site(gateway=True)
    query = dict(parse_qsl(urlsplit(start(client, "/actualites/7")).query))
    assert query["gateway"] == "true"
    answer = come_back(client, query["service"])
    assert (answer.status_code, answer.headers["Location"]) == (303, "/actualites/7")
    assert who(client) == "nobody"


def test_signing_out_at_the_server_ends_the_session_of_its_ticket_alone(site: Site, server: CasOnLoopback) -> None:
    _, client = site()
    address = server.visit(start(client))
    come_back(client, address)
    other = client.application.test_client()
    sign_in(other, server)
    parts = urlsplit(address)
    ticket = dict(parse_qsl(parts.query))["ticket"]
    from_server = client.application.test_client()
    answer = from_server.post(f"{parts.path}?{parts.query}", data={"logoutRequest": logout_request(ticket)})
    assert answer.status_code == 200
    assert (who(client), who(other)) == ("nobody", "hdupont")


@pytest.mark.parametrize("message", ["", "x", BOMB.decode(), logout_request("hdupont"), logout_request(""), "<a/>" * 9000])
def test_what_is_no_sign_out_message_ends_nothing(site: Site, server: CasOnLoopback, message: str) -> None:
    _, client = site()
    sign_in(client, server)
    assert client.post("/rse/cas/callback", data={"logoutRequest": message}).status_code == 400
    assert who(client) == "hdupont"


def test_an_unknown_ticket_is_answered_as_a_known_one(site: Site, server: CasOnLoopback) -> None:
    _, client = site()
    sign_in(client, server)
    assert client.post("/rse/cas/callback", data={"logoutRequest": logout_request("ST-" + "z" * 30)}).status_code == 200
    assert who(client) == "hdupont"


def test_single_logout_can_be_switched_off(site: Site) -> None:
    _, client = site(single_logout=False)
    assert client.post("/rse/cas/callback", data={"logoutRequest": logout_request("ST-" + "z" * 30)}).status_code in (
        400,
        405,
    )


def test_signing_out_reaches_the_server(site: Site, server: CasOnLoopback) -> None:
    _, client = site()
    sign_in(client, server)
    token = client.get("/rse/embed/slots?address=/actualites/42&slots=comments").headers["X-RSE-CSRF"]
    answer = client.post("/rse/sign-out", headers={"X-RSE-CSRF": token, "X-RSE-Embed": "1"})
    assert answer.headers["Location"].startswith(f"{server.url}/logout?service=http%3A%2F%2Flocalhost%2Frse%2F")
    assert who(client) == "nobody"


def test_accents_of_attributes_arrive_intact() -> None:
    user, told = parse_validation(success("hdupont", {"cn": "Hélène Dupont", "departmentNumber": "CPAM du Finistère"}))
    assert (user, told) == ("hdupont", {"cn": "Hélène Dupont", "departmentNumber": "CPAM du Finistère"})


@given(body=st.one_of(st.binary(max_size=300), st.text(max_size=100).map(lambda text: wrapped(text.replace("\x00", "")))))
def test_rubbish_is_refused_and_never_an_error(body: bytes) -> None:
    with pytest.raises(SsoRefused) as caught:
        parse_validation(body)
    assert caught.value.reason is Reason.CAS_ANSWER
    with pytest.raises(SsoRefused) as caught:
        parse_logout(body.decode("utf-8", "replace"))
    assert caught.value.reason is Reason.CAS_LOGOUT
