"""The identity source, and what a person reads when it refuses."""

from __future__ import annotations

import time
from typing import Any

import pytest

from rse_core.api import IdentityRefused, IdentitySource, use_locale
from rse_sso.config import parse_config
from rse_sso.handoff import Handoff
from rse_sso.keys import new_secret
from rse_sso.messages import as_page, sentence
from rse_sso.reasons import Family, Reason, SsoRefused
from rse_sso.return_to import safe_return_to
from rse_sso.source import COOKIE_DONE, SIGNED_IN, SsoSource
from rse_sso.token import encode, make_claims

SECRET, KEY = new_secret(), new_secret()
CONFIG = parse_config(
    {
        "sources": ["header", "handoff"],
        "login_url": "https://portal.test/?url={return_to}",
        "header": {"name": "X-RSE-Name", "secrets": [SECRET], "peers": ["127.0.0.1"]},
        "handoff": {
            "issuer": "https://intranet.test",
            "keys": {"k1": KEY},
            "accept_header": True,
            "accept_cookie": True,
        },
    }
)


class Memory:
    def __init__(self) -> None:
        self.seen: set[tuple[str, str]] = set()

    def consume(self, issuer: str, jti: str, *, expires_at: float, now: float) -> bool:
        first = (issuer, jti) not in self.seen
        self.seen.add((issuer, jti))
        return first


def source() -> SsoSource:
    assert CONFIG.handoff is not None
    return SsoSource(CONFIG, Handoff(CONFIG.handoff.rules, Memory()))


def token(subject: str = "u1042", **changes: Any) -> str:
    assert CONFIG.handoff is not None
    return encode(make_claims(CONFIG.handoff.rules, subject, now=int(time.time())) | changes, KEY)


def proxied(**headers: str) -> dict[str, Any]:
    environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_RSE_PROXY_SECRET": SECRET}
    return environ | {f"HTTP_{name}": value for name, value in headers.items()}


def test_it_is_what_the_core_asks_for() -> None:
    assert isinstance(source(), IdentitySource)


def test_the_proxys_person_is_known_by_issuer_and_subject() -> None:
    found = source().identify(proxied(X_RSE_USER="u1042", X_RSE_NAME="HÃ©lÃ¨ne Dupont"))
    assert found is not None
    assert (found.issuer, found.subject, found.username) == ("header:intranet", "u1042", "u1042")
    assert found.display_name == "Hélène Dupont"


def test_a_spoofed_header_is_nobody() -> None:
    assert source().identify({"REMOTE_ADDR": "203.0.113.9", "HTTP_X_RSE_USER": "admin"}) is None


def test_a_bad_word_of_the_proxy_is_refused_for_the_core_to_show() -> None:
    with pytest.raises(IdentityRefused) as caught:
        source().identify(proxied(X_RSE_USER="a,b"))
    assert (caught.value.code, caught.value.status) == ("header_list", 500)


def test_a_token_in_the_header_identifies_the_request_it_came_with_and_no_other() -> None:
    one, both = token(), source()
    environ = {"HTTP_X_RSE_HANDOFF": one}
    found = both.identify(environ)
    assert found is not None
    assert found.subject == "u1042"
    assert both.identify(environ) is found
    with pytest.raises(IdentityRefused) as caught:
        both.identify({"HTTP_X_RSE_HANDOFF": one})
    assert caught.value.code == "token_replayed"


def test_a_cookie_brings_a_session_once_and_never_locks_anybody_out() -> None:
    environ: dict[str, Any] = {"HTTP_COOKIE": f"rse_handoff={token()}"}
    both = source()
    found = both.identify(environ)
    assert found is not None
    assert environ[SIGNED_IN] is found
    again: dict[str, Any] = {"HTTP_COOKIE": environ["HTTP_COOKIE"]}
    assert both.identify(again) is None
    assert again[COOKIE_DONE]
    assert SIGNED_IN not in again


def test_the_proxys_word_goes_before_a_token() -> None:
    one, both = token("other"), source()
    found = both.identify(proxied(X_RSE_USER="u1042", X_RSE_HANDOFF=one))
    assert found is not None
    assert found.subject == "u1042"
    assert both.identify({"HTTP_X_RSE_HANDOFF": one}) is not None


def test_signing_in_again_leads_back_to_the_page() -> None:
    assert source().login_url("/actualités/42?a=1&b=2") == (
        "https://portal.test/?url=%2Factualit%C3%A9s%2F42%3Fa%3D1%26b%3D2"
    )
    assert source().logout_url("/") is None


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence_in_both_languages_and_a_remedy_for_the_log(reason: Reason) -> None:
    assert reason.remedy
    with use_locale("en"):
        english = sentence(reason)
    with use_locale("fr"):
        french = sentence(reason)
    assert all(english)
    assert all(french)
    assert not set(english) & set(french)
    assert "!" not in "".join(english + french)


def test_the_page_is_in_the_language_of_the_moment_it_is_shown() -> None:
    with use_locale("fr"):
        refusal = as_page(SsoRefused(Reason.TOKEN_EXPIRED))
    with use_locale("en"):
        assert str(refusal.message) == "This sign-in link is out of date."


def test_the_families_are_all_used() -> None:
    assert {reason.family for reason in Reason} == set(Family)


@pytest.mark.parametrize("good", ["/", "/actualites/42?page=2#c7", "/a//b", "/?next=https://x.test/"])
def test_a_path_of_this_origin_is_a_way_back(good: str) -> None:
    assert safe_return_to(good, "/rse/") == good


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "",
        "actualites",
        "//evil.test/",
        "///evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "https://evil.test/",
        "javascript:alert(1)",
        "/\tevil",
        "/a\r\nSet-Cookie: x=1",
        "/a b",
        "/" + "a" * 2001,
        " /a",
    ],
)
def test_anything_else_is_not(bad: str | None) -> None:
    assert safe_return_to(bad, "/rse/") == "/rse/"
