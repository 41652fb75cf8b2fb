"""What an ID token must be: signed by the provider, for us, for this attempt, now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, RSAKey
from oidc_on_loopback import Provider
from oidc_walk import Site, claims, refused, sign_in, table, who

from rse_sso.oidc_config import parse_oidc
from rse_sso.oidc_provider import Provider as Known
from rse_sso.oidc_token import verify_id_token
from rse_sso.reasons import Reason, SsoRefused


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


@pytest.mark.parametrize(
    "form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL], ids=["PKCS8", "SEC1"]
)
@pytest.mark.parametrize(
    ("curve", "algorithm"),
    [(ec.SECP256R1(), "ES256"), (ec.SECP384R1(), "ES384"), (ec.SECP521R1(), "ES512")],
    ids=["P-256", "P-384", "P-521"],
)
def test_an_elliptic_key_of_either_form_takes_the_place_of_the_secret(
    site: Site, provider: Provider, tmp_path: Path, curve: ec.EllipticCurve, algorithm: str, form: Any
) -> None:
    made = ec.generate_private_key(curve)
    pem = made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    provider.keys["client"] = ECKey.import_key(pem)  # type: ignore[assignment]
    provider.client_alg = algorithm
    _, keyed = site(client_secret=None, private_key_file=str(tmp_path / "key.pem"))
    assert sign_in(keyed, provider).status_code == 303
    assert who(keyed) == "hdupont"


@pytest.mark.parametrize("curve", [ec.SECP256K1(), None], ids=["a curve of no algorithm", "no key"])
def test_a_key_that_cannot_sign_is_said_to_be_one(
    site: Site, provider: Provider, tmp_path: Path, curve: ec.EllipticCurve | None
) -> None:
    text = b"no key"
    if curve is not None:
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        text = ec.generate_private_key(curve).private_bytes(encoding, form, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(text)
    _, keyed = site(client_secret=None, private_key_file=str(tmp_path / "key.pem"))
    refused(keyed, sign_in(keyed, provider), "not set up correctly", 500)


def test_what_the_token_lacks_is_asked_of_userinfo_about_the_same_person_only(site: Site, provider: Provider) -> None:
    _, client = site()
    provider.change = claims(preferred_username=None)
    provider.userinfo = {"sub": "f3b9c2", "preferred_username": "hdupont"}
    assert sign_in(client, provider).status_code == 303
    assert who(client) == "hdupont"
    provider.userinfo = {"sub": "a1", "preferred_username": "amartin"}
    stranger = client.application.test_client()
    refused(stranger, sign_in(stranger, provider), "could not be verified")


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
