"""OpenID Connect against a provider on loopback that misbehaves in each way."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import time_machine
from flask import Blueprint
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy import func, select

from rse_core.api import ConfigError, Core, Manifest, Plugin, hookimpl
from rse_core.extension import create_app
from rse_core.models.organisation import Person
from rse_core.testing import make_person
from rse_core.webapi import current_person
from rse_sso.config import parse_config
from rse_sso.oidc_config import parse_oidc
from rse_sso.oidc_provider import Provider as Known
from rse_sso.oidc_token import verify_id_token
from rse_sso.plugin import Sso
from rse_sso.reasons import Reason, SsoRefused

sys.path.insert(0, str(Path(__file__).parent))
from oidc_on_loopback import Provider

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
            return person.username if person else "nobody"

        return [blueprint]


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    made.start()
    yield made
    made.stop()


def table(provider: Provider, **changes: Any) -> dict[str, Any]:
    return {
        "issuer": provider.issuer,
        "client_id": provider.client[0],
        "client_secret": provider.client[1],
        "redirect_uri": "http://localhost/rse/oidc/callback",
        **changes,
    }


Site = Callable[..., tuple[Core, FlaskClient]]


@pytest.fixture
def site(rse_core: Any, provider: Provider) -> Site:
    def make(**changes: Any) -> tuple[Core, FlaskClient]:
        section = {"sources": ["oidc"], "oidc": table(provider, **changes)}
        core = rse_core([Sso(), Probe()], identity=False, sections={"sso": section})
        make_person(core, "hdupont", name="Hélène Dupont")
        make_person(core, "amartin", name="Alice Martin")
        app = create_app(core)
        app.testing = True
        return core, app.test_client()

    return make


def start(client: FlaskClient, return_to: str = "/actualites/42") -> str:
    answer = client.get("/rse/oidc/start", query_string={"return_to": return_to})
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def come_back(client: FlaskClient, address: str) -> Any:
    parts = urlsplit(address)
    return client.get(f"{parts.path}?{parts.query}", headers=EN)


def sign_in(client: FlaskClient, provider: Provider, return_to: str = "/actualites/42") -> Any:
    return come_back(client, provider.visit(start(client, return_to)))


def who(client: FlaskClient) -> str:
    return client.get(WHO).text


def refused(client: FlaskClient, answer: Any, words: str, status: int = 403) -> None:
    assert answer.status_code == status, answer.text
    assert words in answer.text
    assert who(client) == "nobody"


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


def claims(**changes: Any) -> Callable[[dict[str, Any]], None]:
    def change(found: dict[str, Any]) -> None:
        found.update(changes)
        for key in [key for key, value in found.items() if value is None]:
            del found[key]

    return change


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://other.test"}, "oidc_issuer"),
        ({"aud": "payroll"}, "oidc_audience"),
        ({"aud": ["payroll"]}, "oidc_audience"),
        ({"aud": ["social", "payroll"]}, "oidc_audience"),
        ({"aud": ["social", "payroll"], "azp": "payroll"}, "oidc_audience"),
        ({"azp": "payroll"}, "oidc_audience"),
        ({"aud": None}, "oidc_audience"),
        ({"exp": 1_700_000_000}, "oidc_expired"),
        ({"exp": None}, "oidc_malformed"),
        ({"exp": "soon"}, "oidc_malformed"),
        ({"exp": True}, "oidc_malformed"),
        ({"iat": None}, "oidc_malformed"),
        ({"iat": 4_000_000_000, "exp": 4_000_000_300}, "oidc_future"),
        ({"nbf": 4_000_000_000}, "oidc_future"),
        ({"nonce": "another"}, "oidc_nonce"),
        ({"nonce": None}, "oidc_nonce"),
        ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "oidc_at_hash"),
        ({"at_hash": 3}, "oidc_at_hash"),
        ({"sub": ""}, "oidc_subject"),
        ({"sub": "x" * 256}, "oidc_subject"),
        ({"sub": "hdu\u200bpont"}, "oidc_subject"),
        ({"sub": 7}, "oidc_subject"),
        ({"preferred_username": None}, "oidc_claim"),
        ({"preferred_username": ["hdupont"]}, "oidc_claim"),
    ],
)
def test_a_token_that_is_not_right_begins_no_session(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture, changes: dict[str, Any], reason: str
) -> None:
    _, client = site()
    provider.change = claims(**changes)
    provider.userinfo = {"sub": "f3b9c2"}
    answer = sign_in(client, provider)
    assert answer.status_code in (403, 500), answer.text
    assert who(client) == "nobody"
    (line,) = (text for text in caplog.messages if text.startswith("Sign-in refused"))
    assert f"reason={reason} peer=127.0.0.1 detail=" in line
    assert f"issuer {provider.issuer}" in line
    assert "eyJ" not in caplog.text


def test_signatures_of_others_and_of_nobody_are_refused(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    _, client = site()
    provider.sign = provider.unsigned
    refused(client, sign_in(client, provider), "could not be verified")
    provider.sign = provider.with_public_key_as_secret
    refused(client, sign_in(client, provider), "could not be verified")
    provider.sign = lambda found: provider._sign(found)[:-8] + "AAAAAAAA"
    refused(client, sign_in(client, provider), "could not be verified")
    provider.sign, provider.alg = provider._sign, "RS512"
    refused(client, sign_in(client, provider), "could not be verified")
    for words in ("alg 'none'", "alg 'HS256'", "reason=oidc_signature", "alg 'RS512'", "kid 'k1'"):
        assert words in caplog.text


def test_es256_is_accepted_where_it_is_configured(site: Site, provider: Provider) -> None:
    _, client = site(algorithms=["ES256"])
    provider.add_key("e1", ec=True)
    provider.signs_with, provider.alg = "e1", "ES256"
    assert sign_in(client, provider).status_code == 303
    provider.signs_with, provider.alg = "k1", "RS256"
    other = client.application.test_client()
    refused(other, sign_in(other, provider), "could not be verified")


def test_clocks_may_differ_by_a_minute_and_no_more(site: Site, provider: Provider) -> None:
    _, client = site()
    now = int(time.time())
    provider.change = claims(iat=now + 50, exp=now + 300)
    assert sign_in(client, provider).status_code == 303
    provider.change = claims(iat=now - 300, exp=now - 40)
    assert sign_in(client, provider).status_code == 303
    provider.change = claims(iat=now - 300, exp=now - 75)
    late = client.application.test_client()
    refused(late, sign_in(late, provider), "out of date")


def test_new_keys_are_fetched_once_and_invented_names_do_not_make_us_ask_again(site: Site, provider: Provider) -> None:
    _, client = site()
    sign_in(client, provider)
    provider.add_key("k2")
    provider.signs_with = "k2"
    assert sign_in(client, provider).status_code == 303
    before = provider.asked.count("/jwks")
    for number in range(3):
        provider.sign = lambda found, number=number: provider._sign(found).replace(  # type: ignore[misc]
            provider._sign({}).split(".")[0], _header(f"invented{number}")
        )
        stranger = client.application.test_client()
        refused(stranger, sign_in(stranger, provider), "could not be verified")
    assert provider.asked.count("/jwks") == before


def _header(kid: str) -> str:
    import base64
    import json

    return base64.urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": kid}).encode()).rstrip(b"=").decode()


def test_a_shared_secret_among_the_keys_is_not_one_of_them(site: Site, provider: Provider) -> None:
    provider.keys["oct"] = OctKey.generate_key(256, parameters={"kid": "oct"})  # type: ignore[assignment]
    _, client = site()
    assert sign_in(client, provider).status_code == 303


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


def test_the_secret_may_be_wrong_in_a_file_or_replaced_by_a_key(site: Site, provider: Provider, tmp_path: Path) -> None:
    _, wrong = site(client_secret="another")
    refused(wrong, sign_in(wrong, provider), "not set up correctly", 500)
    (tmp_path / "secret").write_text(provider.client[1] + "\n")
    _, filed = site(client_secret=None, client_secret_file=str(tmp_path / "secret"))
    assert sign_in(filed, provider).status_code == 303
    _, posted = site(auth_method="client_secret_post")
    assert sign_in(posted, provider).status_code == 303
    own = RSAKey.generate_key(2048)
    provider.keys["client"] = own
    (tmp_path / "key.pem").write_bytes(own.as_pem(private=True))
    _, keyed = site(client_secret=None, private_key_file=str(tmp_path / "key.pem"))
    assert sign_in(keyed, provider).status_code == 303
    assert "client_secret" not in provider.forms[-1]


def test_what_the_token_lacks_is_asked_of_userinfo_about_the_same_person_only(site: Site, provider: Provider) -> None:
    _, client = site()
    provider.change = claims(preferred_username=None)
    provider.userinfo = {"sub": "f3b9c2", "preferred_username": "hdupont"}
    assert sign_in(client, provider).status_code == 303
    assert who(client) == "hdupont"
    provider.userinfo = {"sub": "a1", "preferred_username": "amartin"}
    stranger = client.application.test_client()
    refused(stranger, sign_in(stranger, provider), "could not be verified")


def leave(client: FlaskClient) -> Any:
    token = client.get("/rse/embed/slots?address=/actualites/42&slots=comments").headers["X-RSE-CSRF"]
    return client.post("/rse/sign-out", headers={"X-RSE-CSRF": token, "X-RSE-Embed": "1"})


def test_signing_out_reaches_the_provider_with_the_token_as_a_hint(site: Site, provider: Provider) -> None:
    _, client = site()
    sign_in(client, provider)
    answer = leave(client)
    parts = urlsplit(answer.headers["Location"])
    query = parse_qs(parts.query)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{provider.issuer}/logout"
    assert query["post_logout_redirect_uri"] == ["http://localhost/rse/"]
    assert query["id_token_hint"][0].count(".") == 2
    assert who(client) == "nobody"
    assert client.get_cookie("rse_oidc_hint", path="/rse/sign-out") is None


def post_logout(client: FlaskClient, token: str) -> int:
    server = client.application.test_client()
    return server.post("/rse/oidc/backchannel-logout", data={"logout_token": token}).status_code


@pytest.mark.parametrize("missing", [{}, {"sub": None}, {"sid": None}])
def test_signing_out_at_the_provider_ends_the_session_here(site: Site, provider: Provider, missing: dict[str, Any]) -> None:
    _, client = site()
    sign_in(client, provider)
    assert post_logout(client, provider.logout_token(**missing)) == 200
    assert who(client) == "nobody"


@pytest.mark.parametrize(
    "changes",
    [
        {"events": None}, {"events": {}}, {"events": {"http://schemas.openid.net/event/backchannel-logout": None}},
        {"nonce": "x"}, {"sub": None, "sid": None}, {"jti": None}, {"aud": "payroll"}, {"iss": "https://other.test"},
        {"iat": 1_700_000_000, "exp": 4_000_000_000}, {"exp": 1_700_000_000}, {"sid": 3}, {"sub": "x" * 400}, {"iat": None},
    ],
)  # fmt: skip
def test_a_logout_token_that_is_not_right_ends_nothing(site: Site, provider: Provider, changes: dict[str, Any]) -> None:
    _, client = site()
    sign_in(client, provider)
    assert post_logout(client, provider.logout_token(**changes)) == 400
    assert who(client) == "hdupont"


def test_a_logout_token_serves_once_and_an_id_token_is_none(site: Site, provider: Provider) -> None:
    _, client = site()
    token = provider.logout_token()
    assert post_logout(client, token) == 200
    sign_in(client, provider)
    assert post_logout(client, token) == 400
    assert post_logout(client, provider.id_token("n")) == 400
    assert post_logout(client, "rubbish") == 400
    provider.sign = provider.unsigned
    assert post_logout(client, provider.logout_token()) == 400
    assert who(client) == "hdupont"


def test_another_session_of_the_same_person_stands(site: Site, provider: Provider) -> None:
    _, client = site()
    sign_in(client, provider)
    other = client.application.test_client()
    provider.sid = "sid-2"
    sign_in(other, provider)
    assert post_logout(client, provider.logout_token(sid="sid-1")) == 200
    assert (who(client), who(other)) == ("nobody", "hdupont")


def test_a_call_after_the_session_has_expired_says_where_to_sign_in_again(site: Site) -> None:
    _, client = site()
    answer = client.get("/rse/me/", headers={"Accept": "text/html", **EN})
    assert answer.status_code == 401
    assert "/rse/oidc/start?return_to=" in answer.text


def test_a_client_that_sends_the_identity_header_gets_nothing_from_it(site: Site) -> None:
    _, client = site()
    assert client.get(WHO, headers={"X-RSE-User": "hdupont", "Auth-User": "hdupont"}).text == "nobody"


@pytest.fixture(scope="module")
def genuine() -> Iterator[tuple[Provider, Known, str]]:
    made = Provider()
    made.start()
    known = Known(parse_oidc(table(made)))
    yield made, known, made.id_token("n" * 43)
    made.stop()


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_change_of_a_token_is_believed(genuine: tuple[Provider, Known, str], data: st.DataObject) -> None:
    _, known, token = genuine
    at = data.draw(st.integers(0, len(token) - 1))
    how = data.draw(st.sampled_from(["replace", "cut", "insert"]))
    text = data.draw(st.text(min_size=1, max_size=6))
    changed = {"replace": token[:at] + text + token[at + 1 :], "cut": token[:at], "insert": token[:at] + text + token[at:]}
    if changed[how] == token or _same_bytes(changed[how], token):
        return
    with pytest.raises(SsoRefused):
        verify_id_token(changed[how], known, nonce="n" * 43, access_token=None, now=time.time())


def _same_bytes(one: str, other: str) -> bool:
    """The last character of base64 has bits that mean nothing."""
    import base64
    import binascii

    def decoded(text: str) -> list[bytes] | None:
        try:
            return [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in text.split(".")]
        except (binascii.Error, ValueError):
            return None

    return decoded(one) is not None and decoded(one) == decoded(other)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.one_of(st.text(max_size=200), st.from_regex(r"[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{0,80}"))
)
def test_rubbish_is_refused_and_never_an_error(genuine: tuple[Provider, Known, str], text: str) -> None:
    _, known, _token = genuine
    with pytest.raises(SsoRefused) as caught:
        verify_id_token(text, known, nonce="n", access_token=None, now=time.time())
    assert caught.value.reason in (Reason.OIDC_MALFORMED, Reason.OIDC_ALGORITHM, Reason.OIDC_KEY_UNKNOWN)


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
