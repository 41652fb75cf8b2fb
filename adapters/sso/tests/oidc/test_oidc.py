"""OpenID Connect against a provider on loopback: there and back, who is known, what a person reads."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine
from oidc_on_loopback import Provider
from oidc_walk import EN, WHO, Site, come_back, refused, sign_in, start, table, who
from sqlalchemy import func, select

from rse_core.api import ConfigError
from rse_core.models.organisation import Person
from rse_sso.config import parse_config
from rse_sso.oidc_config import parse_oidc


def test_a_person_signs_in_and_is_back_on_the_page(site: Site, provider: Provider) -> None:
    core, client = site()
    answer = sign_in(client, provider, "/actualites/42?page=2")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/actualites/42?page=2")
    assert answer.headers["Cache-Control"] == "no-store"
    assert who(client) == "hdupont"
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 2


def test_the_request_has_pkce_state_and_nonce_new_for_each_attempt(site: Site) -> None:
    _, client = site()
    one, other = (dict(parse_qsl(urlsplit(start(client)).query)) for _ in range(2))
    assert (one["response_type"], one["code_challenge_method"], one["scope"]) == ("code", "S256", "openid profile email")
    for name in ("state", "nonce", "code_challenge"):
        assert len(one[name]) >= 43
        assert one[name] != other[name]


def test_two_tabs_sign_in_at_once_each_to_its_own_page(site: Site, provider: Provider) -> None:
    _, client = site()
    first, second = start(client, "/a"), start(client, "/b")
    assert come_back(client, provider.visit(second)).headers["Location"] == "/b"
    assert come_back(client, provider.visit(first)).headers["Location"] == "/a"


def test_the_attempts_cookie_is_bound_to_the_way_back(site: Site) -> None:
    _, client = site()
    cookie = client.get("/rse/oidc/start").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/rse/oidc" in cookie


def test_a_browser_keeps_only_some_attempts(site: Site) -> None:
    _, client = site()
    for _ in range(9):
        start(client)
    kept = [cookie for cookie in client._cookies.values() if cookie.key.startswith("rse_attempt_")]
    assert len(kept) <= 6


@pytest.mark.parametrize("elsewhere", ["https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)"])
def test_the_way_back_leads_nowhere_but_to_this_origin(site: Site, provider: Provider, elsewhere: str) -> None:
    _, client = site()
    assert sign_in(client, provider, elsewhere).headers["Location"] == "/rse/"


def test_an_answer_is_worth_nothing_in_another_browser(site: Site, provider: Provider) -> None:
    _, client = site()
    address = provider.visit(start(client))
    victim = client.application.test_client()
    refused(victim, come_back(victim, address), "not begun in this browser")


def test_an_answer_nobody_asked_for_is_refused(site: Site) -> None:
    _, client = site()
    for query in ("", "code=x", "code=x&state=" + "a" * 43, "state=%00%ff", "error=access_denied&state=" + "a" * 43):
        refused(client, client.get(f"/rse/oidc/callback?{query}", headers=EN), "not begun in this browser")


def test_an_answer_serves_once_even_with_the_cookie_of_the_attempt(site: Site, provider: Provider) -> None:
    _, client = site()
    address = provider.visit(start(client))
    (cookie,) = (each for each in client._cookies.values() if each.key.startswith("rse_attempt_"))
    assert come_back(client, address).status_code == 303
    thief = client.application.test_client()
    thief.set_cookie(cookie.key, cookie.value, path="/rse/oidc")
    refused(thief, come_back(thief, address), "already been used")


def test_the_session_is_a_new_one_and_the_person_before_is_out(site: Site, provider: Provider) -> None:
    _, client = site()
    sign_in(client, provider)
    before = client.get_cookie("rse_session")
    provider.person = {"sub": "a1", "preferred_username": "amartin", "name": "Alice", "email": "a@intranet.test"}
    sign_in(client, provider)
    after = client.get_cookie("rse_session")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert who(client) == "amartin"


def test_people_are_known_by_issuer_and_subject_even_after_their_name_has_changed(site: Site, provider: Provider) -> None:
    _, client = site()
    sign_in(client, provider)
    provider.person = {**(provider.person or {}), "preferred_username": "amartin", "email": "amartin@intranet.test"}
    sign_in(client.application.test_client(), provider)
    again = client.application.test_client()
    sign_in(again, provider)
    assert who(again) == "hdupont"


def test_a_second_subject_does_not_take_a_known_person_over(site: Site, provider: Provider) -> None:
    _, client = site()
    sign_in(client, provider)
    provider.person = {**(provider.person or {}), "sub": "another"}
    thief = client.application.test_client()
    answer = sign_in(thief, provider)
    assert answer.status_code == 403
    assert who(thief) == "nobody"


def test_a_stranger_and_somebody_who_has_left_are_told_apart(site: Site, provider: Provider) -> None:
    core, client = site()
    provider.person = {"sub": "x", "preferred_username": "nobody-here", "name": "X", "email": "x@intranet.test"}
    refused(client, sign_in(client, provider), "does not know your account")
    with core.db.write() as session:
        session.scalars(select(Person).where(Person.username == "amartin")).one().status = "disabled"
    provider.person |= {"sub": "y", "preferred_username": "amartin"}
    refused(client, sign_in(client, provider), "switched off")
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 2


def test_cancelling_gives_a_page_that_says_so(site: Site, provider: Provider) -> None:
    _, client = site()
    provider.person = None
    refused(client, sign_in(client, provider), "The sign-in was cancelled")
    french = client.get(
        urlsplit(provider.visit(start(client)))._replace(scheme="", netloc="").geturl(), headers={"Accept-Language": "fr"}
    )
    assert "La connexion a été annulée" in french.text


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        ("/.well-known/openid-configuration", (500, {}, b"")),
        ("/.well-known/openid-configuration", (200, {}, b"<html>")),
        ("/.well-known/openid-configuration", (200, {}, b"[" * 100_000)),
        ("/.well-known/openid-configuration", (302, {"Location": "http://127.0.0.1:1/"}, b"")),
        ("/.well-known/openid-configuration", (200, {}, b" " * 600_000)),
        ("/token", (503, {}, b"")),
        ("/token", (200, {}, b"{}")),
        ("/token", (200, {"Content-Encoding": "gzip"}, b"{}")),
        ("/jwks", (200, {}, b'{"keys": []}')),
        ("/jwks", (200, {}, b'{"keys": [{"kty": "RSA", "n": 1}]}')),
    ],
)
def test_a_provider_that_answers_rubbish_is_a_matter_of_minutes(
    site: Site, provider: Provider, path: str, raw: tuple[int, dict[str, str], bytes]
) -> None:
    _, client = site()
    if not path.startswith("/.well"):
        address = provider.visit(start(client))
        provider.raw[path] = raw
        answer = come_back(client, address)
    else:
        provider.raw[path] = raw
        answer = client.get("/rse/oidc/start", headers=EN)
    refused(client, answer, "cannot be signed in at the moment", 503)


def test_a_provider_that_is_down_is_a_matter_of_minutes(site: Site, provider: Provider) -> None:
    _, client = site(issuer="http://127.0.0.1:9")
    refused(client, client.get("/rse/oidc/start", headers=EN), "cannot be signed in at the moment", 503)


def test_the_discovery_document_must_be_of_this_issuer_and_name_https(site: Site, provider: Provider) -> None:
    _, client = site()
    provider.document = {"issuer": "https://other.test"}
    refused(client, client.get("/rse/oidc/start", headers=EN), "not set up correctly", 500)
    provider.document = {"token_endpoint": "http://portal.test/token"}
    refused(client, client.get("/rse/oidc/start", headers=EN), "not set up correctly", 500)


def test_the_answer_of_another_provider_is_not_taken_for_ours(site: Site, provider: Provider) -> None:
    _, client = site()
    provider.document = {"authorization_response_iss_parameter_supported": True}
    refused(client, sign_in(client, provider), "could not be verified")
    address = provider.visit(start(client)) + "&iss=https%3A%2F%2Fother.test"
    refused(client, come_back(client, address), "could not be verified")


def test_a_call_after_the_session_has_expired_says_where_to_sign_in_again(site: Site) -> None:
    _, client = site()
    answer = client.get("/rse/me/", headers={"Accept": "text/html", **EN})
    assert answer.status_code == 401
    assert "/rse/oidc/start?return_to=" in answer.text


def test_a_client_that_sends_the_identity_header_gets_nothing_from_it(site: Site) -> None:
    _, client = site()
    assert client.get(WHO, headers={"X-RSE-User": "hdupont", "Auth-User": "hdupont"}).text == "nobody"


def test_the_check_asks_the_provider_and_says_what_to_register(site: Site, provider: Provider) -> None:
    from click.testing import CliRunner

    from rse_core.cli import cli
    from rse_core.commands import State

    core, _ = site()

    def run() -> str:
        return CliRunner().invoke(cli, ["sso", "check", "--online"], obj=State(lambda: core)).output

    told = run()
    assert "register the redirect address http://localhost/rse/oidc/callback" in told
    assert f"{provider.issuer} answers; keys: k1" in told
    provider.raw["/jwks"] = (500, {}, b"")
    told = run()
    assert "sso.oidc.issuer cannot be used now (provider_answer" in told
    assert provider.client[1] not in told


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"issuer": "http://portal.test"}, "no https address"),
        ({"algorithms": ["none"]}, "never accepted"),
        ({"algorithms": ["HS256"]}, "never accepted"),
        ({"client_secret": None, "auth_method": "client_secret_basic"}, "client_secret_file is missing"),
        ({"redirect_uri": "https://intranet.test/elsewhere"}, "does not end with"),
        ({"client_secret_file": "/nowhere", "client_secret": None}, "cannot be read"),
        ({"scopes": ["profile"]}, "lacks openid"),
        ({"isuer": "x"}, "Did you mean issuer"),
    ],
)
def test_a_mistake_in_the_table_is_named(provider: Provider, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_oidc(table(provider, **changes))
    assert words in f"{caught.value} {caught.value.remedy}"
    assert provider.client[1] not in str(caught.value)


def test_the_oldest_attempts_are_forgotten_first(site: Site, provider: Provider) -> None:
    with time_machine.travel(1_790_000_000, tick=False) as clock:
        _, client = site()
        addresses = []
        for number in range(7):
            addresses.append(provider.visit(start(client, f"/{number}")))
            clock.shift(2)
        assert come_back(client, addresses[0]).status_code == 403
        assert come_back(client, addresses[6]).headers["Location"] == "/6"
        assert come_back(client, addresses[1]).headers["Location"] == "/1"


def test_whoever_stays_too_long_at_the_provider_begins_again(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    _, client = site()
    address = provider.visit(start(client))
    (cookie,) = (each for each in client._cookies.values() if each.key.startswith("rse_attempt_"))
    with time_machine.travel(time.time() + 700, tick=False):
        # A browser drops the cookie by itself; a client that keeps it gains nothing.
        client.set_cookie(cookie.key, cookie.value, path="/rse/oidc")
        refused(client, come_back(client, address), "took too long")
    assert "reason=attempt_expired" in caplog.text


def test_the_secret_may_come_from_the_environment(provider: Provider) -> None:
    found = parse_config(
        {"sources": ["oidc"], "oidc": table(provider, client_secret=None), "oidc_client_secret": "from-outside"}
    )
    assert found.oidc is not None
    assert (found.oidc.client_secret, found.oidc.auth_method) == ("from-outside", "client_secret_basic")
    assert "from-outside" not in repr(found.oidc)
