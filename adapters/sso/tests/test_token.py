"""What a hand-off token must be, and everything else that it may not be."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rse_sso.keys import new_secret
from rse_sso.reasons import Reason, SsoRefused
from rse_sso.token import MAX_TOKEN, TokenRules, encode, make_claims, verify

NOW = 1_790_000_000
KEY, OTHER = new_secret(), new_secret()
RULES = TokenRules(keys={"k1": KEY}, issuer="https://intranet.test", audience="rse")
TWO_KEYS = TokenRules(keys={"k1": KEY, "k2": OTHER}, issuer="https://intranet.test", audience="rse")


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims with some changed; ``None`` takes a claim away."""
    made = make_claims(RULES, "u1042", now=NOW) | changes
    return {name: value for name, value in made.items() if value is not None}


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw_token(header: bytes, payload: bytes, secret: str = KEY) -> str:
    """A token that is well signed, whatever its two parts hold."""
    signed = f"{b64(header)}.{b64(payload)}"
    return f"{signed}.{b64(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


def with_header(**header: Any) -> str:
    return raw_token(json.dumps(header).encode(), json.dumps(claims()).encode())


def reason(token: str, rules: TokenRules = RULES, now: float = NOW) -> Reason:
    with pytest.raises(SsoRefused) as caught:
        verify(token, rules, now=now)
    return caught.value.reason


def test_a_good_token_says_who_comes_and_where_they_go() -> None:
    token = encode(
        claims(name="Hélène Dupont, CPAM du Finistère", return_to="/actualites/42", attributes={"entity": "29"}),
        KEY,
    )
    read = verify(token, RULES, now=NOW)
    assert (read.issuer, read.subject, read.name) == (
        "https://intranet.test",
        "u1042",
        "Hélène Dupont, CPAM du Finistère",
    )
    assert (read.return_to, read.attributes) == ("/actualites/42", {"entity": "29"})


def test_an_audience_written_as_a_list_of_one_is_the_same_audience() -> None:
    assert verify(encode(claims(aud=["rse"]), KEY), RULES, now=NOW).subject == "u1042"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"alg": "none", "typ": "JWT"}, Reason.TOKEN_ALGORITHM),
        ({"alg": "None", "typ": "JWT"}, Reason.TOKEN_ALGORITHM),
        ({"alg": "HS512", "typ": "JWT"}, Reason.TOKEN_ALGORITHM),
        ({"alg": "RS256", "typ": "JWT"}, Reason.TOKEN_ALGORITHM),
        ({"alg": ["HS256"], "typ": "JWT"}, Reason.TOKEN_ALGORITHM),
        ({"typ": "JWT"}, Reason.TOKEN_ALGORITHM),
        ({"alg": "HS256"}, Reason.TOKEN_HEADER),
        ({"alg": "HS256", "typ": "at+jwt"}, Reason.TOKEN_HEADER),
        ({"alg": "HS256", "typ": "JWT", "crit": ["exp"]}, Reason.TOKEN_HEADER),
        ({"alg": "HS256", "typ": "JWT", "jku": "https://evil.test/"}, Reason.TOKEN_HEADER),
        ({"alg": "HS256", "typ": "JWT", "kid": "k9"}, Reason.TOKEN_KEY_UNKNOWN),
        ({"alg": "HS256", "typ": "JWT", "kid": "../../etc/passwd"}, Reason.TOKEN_KEY_UNKNOWN),
        ({"alg": "HS256", "typ": "JWT", "kid": ["k1"]}, Reason.TOKEN_KEY_UNKNOWN),
        ({"alg": "HS256", "typ": "JWT", "kid": None}, Reason.TOKEN_KEY_UNKNOWN),
    ],
)
def test_a_header_that_is_not_exactly_ours_is_refused(header: dict[str, Any], expected: Reason) -> None:
    assert reason(with_header(**header)) is expected


def test_an_unsigned_token_is_refused_even_with_its_dot() -> None:
    unsigned = f"{b64(json.dumps({'alg': 'none', 'typ': 'JWT'}).encode())}.{b64(json.dumps(claims()).encode())}."
    assert reason(unsigned) is Reason.TOKEN_ALGORITHM


def test_a_token_signed_with_another_secret_is_refused() -> None:
    assert reason(encode(claims(), OTHER)) is Reason.TOKEN_SIGNATURE


def test_a_changed_payload_is_refused() -> None:
    header, _, signature = encode(claims(), KEY).split(".")
    forged = b64(json.dumps(claims(sub="admin")).encode())
    assert reason(f"{header}.{forged}.{signature}") is Reason.TOKEN_SIGNATURE


def test_while_keys_are_rotated_each_kid_has_its_own_secret() -> None:
    assert verify(encode(claims(), KEY, kid="k1"), TWO_KEYS, now=NOW)
    assert verify(encode(claims(), OTHER, kid="k2"), TWO_KEYS, now=NOW)
    assert reason(encode(claims(), OTHER, kid="k1"), TWO_KEYS) is Reason.TOKEN_SIGNATURE
    assert reason(encode(claims(), KEY), TWO_KEYS) is Reason.TOKEN_KEY_MISSING


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iss": "https://evil.test"}, Reason.TOKEN_ISSUER),
        ({"iss": None}, Reason.TOKEN_ISSUER),
        ({"aud": "payroll"}, Reason.TOKEN_AUDIENCE),
        ({"aud": ["rse", "payroll"]}, Reason.TOKEN_AUDIENCE),
        ({"aud": []}, Reason.TOKEN_AUDIENCE),
        ({"aud": None}, Reason.TOKEN_AUDIENCE),
        ({"sub": None}, Reason.TOKEN_SUBJECT),
        ({"sub": ""}, Reason.TOKEN_SUBJECT),
        ({"sub": 42}, Reason.TOKEN_SUBJECT),
        ({"sub": " u1"}, Reason.TOKEN_SUBJECT),
        ({"sub": "u1\u0000"}, Reason.TOKEN_SUBJECT),
        ({"sub": "u\u200b1"}, Reason.TOKEN_SUBJECT),
        ({"sub": "u" * 256}, Reason.TOKEN_SUBJECT),
        ({"jti": None}, Reason.TOKEN_NONCE),
        ({"jti": "short"}, Reason.TOKEN_NONCE),
        ({"jti": "é" * 16}, Reason.TOKEN_NONCE),
        ({"jti": "j" * 129}, Reason.TOKEN_NONCE),
        ({"iat": None}, Reason.TOKEN_CLAIMS),
        ({"exp": None}, Reason.TOKEN_CLAIMS),
        ({"exp": str(NOW + 60)}, Reason.TOKEN_CLAIMS),
        ({"exp": NOW + 60.5}, Reason.TOKEN_CLAIMS),
        ({"iat": True}, Reason.TOKEN_CLAIMS),
        ({"iat": -1}, Reason.TOKEN_CLAIMS),
        ({"iat": NOW * 1000, "exp": NOW * 1000 + 60}, Reason.TOKEN_CLAIMS),
        ({"exp": NOW + 121}, Reason.TOKEN_LIFETIME),
        ({"exp": NOW}, Reason.TOKEN_LIFETIME),
        ({"exp": NOW - 10}, Reason.TOKEN_LIFETIME),
        ({"iat": NOW + 31, "exp": NOW + 60}, Reason.TOKEN_FUTURE),
        ({"nbf": NOW + 31}, Reason.TOKEN_FUTURE),
        ({"iat": NOW - 90, "exp": NOW - 30}, Reason.TOKEN_EXPIRED),
        ({"name": 12}, Reason.TOKEN_CLAIMS),
        ({"name": "n" * 201}, Reason.TOKEN_CLAIMS),
        ({"name": "Hélène\nDupont"}, Reason.TOKEN_CLAIMS),
        ({"email": "e" * 255}, Reason.TOKEN_CLAIMS),
        ({"attributes": ["entity"]}, Reason.TOKEN_CLAIMS),
        ({"attributes": {"entity": 29}}, Reason.TOKEN_CLAIMS),
        ({"attributes": {str(number): "x" for number in range(21)}}, Reason.TOKEN_CLAIMS),
    ],
)
def test_a_claim_that_is_wrong_is_refused_with_its_own_reason(changes: dict[str, Any], expected: Reason) -> None:
    assert reason(encode(claims(**changes), KEY)) is expected


def test_clocks_may_differ_by_the_configured_skew_and_no_more() -> None:
    token = encode(claims(iat=NOW, exp=NOW + 60), KEY)
    assert verify(token, RULES, now=NOW - 30)
    assert reason(token, now=NOW - 31) is Reason.TOKEN_FUTURE
    assert verify(token, RULES, now=NOW + 89)
    assert reason(token, now=NOW + 90) is Reason.TOKEN_EXPIRED


def test_a_site_may_shorten_the_life_of_tokens_but_never_lengthen_it() -> None:
    short = TokenRules(keys={"k1": KEY}, issuer=RULES.issuer, audience="rse", max_age=30)
    assert reason(encode(claims(), KEY), short) is Reason.TOKEN_LIFETIME
    longer = TokenRules(keys={"k1": KEY}, issuer=RULES.issuer, audience="rse", max_age=3600)
    assert reason(encode(claims(exp=NOW + 3600), KEY), longer) is Reason.TOKEN_LIFETIME


HEADER = b'{"alg":"HS256","typ":"JWT"}'


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", Reason.TOKEN_MALFORMED),
        (b"null", Reason.TOKEN_CLAIMS),
        (b"[]", Reason.TOKEN_CLAIMS),
        (b'"text"', Reason.TOKEN_CLAIMS),
        (b"{", Reason.TOKEN_CLAIMS),
        (b'{"sub":"a","sub":"b"}', Reason.TOKEN_CLAIMS),
        (b'{"iat":NaN}', Reason.TOKEN_CLAIMS),
        (b'{"exp":Infinity}', Reason.TOKEN_CLAIMS),
        (b"\xff\xfe", Reason.TOKEN_CLAIMS),
        ('{"sub":"é"}'.encode("latin-1"), Reason.TOKEN_CLAIMS),
        (b"[" * 2500, Reason.TOKEN_CLAIMS),
        (b'{"exp":' + b"9" * 2900 + b"}", Reason.TOKEN_ISSUER),
    ],
)
def test_a_well_signed_payload_that_is_no_plain_object_is_refused(payload: bytes, expected: Reason) -> None:
    assert reason(raw_token(HEADER, payload)) is expected


def test_a_header_with_a_member_twice_is_refused() -> None:
    twice = b'{"alg":"none","alg":"HS256","typ":"JWT"}'
    assert reason(raw_token(twice, json.dumps(claims()).encode())) is Reason.TOKEN_HEADER


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("", Reason.TOKEN_MISSING),
        ("x", Reason.TOKEN_MALFORMED),
        ("..", Reason.TOKEN_MALFORMED),
        ("a.b.c.d", Reason.TOKEN_MALFORMED),
        ("x" * (MAX_TOKEN + 1), Reason.TOKEN_TOO_LONG),
        ("x" * 10_000_000, Reason.TOKEN_TOO_LONG),
    ],
)
def test_what_is_no_token_is_refused(token: str, expected: Reason) -> None:
    assert reason(token) is expected


def test_a_token_has_one_spelling_only() -> None:
    token = encode(claims(), KEY)
    assert reason(token + "=") is Reason.TOKEN_MALFORMED
    assert reason(token + "\n") is Reason.TOKEN_MALFORMED
    assert reason(" " + token) is Reason.TOKEN_MALFORMED
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = alphabet[alphabet.index(token[-1]) + 1]
    assert reason(token[:-1] + spare) is Reason.TOKEN_MALFORMED


@given(st.text() | st.text("abcAZ09-_.=", max_size=60))
def test_no_text_whatever_passes_or_raises_anything_but_a_refusal(text: str) -> None:
    with pytest.raises(SsoRefused):
        verify(text, RULES, now=NOW)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_no_bytes_however_well_signed_raise_anything_but_a_refusal(header: bytes, payload: bytes) -> None:
    with pytest.raises(SsoRefused):
        verify(raw_token(header, payload), RULES, now=NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=8,
)


@settings(max_examples=300)
@given(st.sampled_from(["iss", "aud", "sub", "iat", "exp", "nbf", "jti", "name", "email", "attributes"]), JSON)
def test_any_value_of_any_claim_is_accepted_or_refused_and_nothing_else(claim: str, value: Any) -> None:
    token = encode(claims() | {claim: value}, KEY)
    try:
        read = verify(token, RULES, now=NOW)
    except SsoRefused:
        return
    assert (read.issuer, bool(read.subject)) == ("https://intranet.test", True)
    assert 0 < read.expires_at - read.issued_at <= 120


@settings(max_examples=300)
@given(st.data())
def test_changing_any_character_of_a_token_spoils_it(data: st.DataObject) -> None:
    token = encode(claims(), KEY)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(max_codepoint=0x17F).filter(lambda character: character != token[place]))
    with pytest.raises(SsoRefused):
        verify(token[:place] + other + token[place + 1 :], RULES, now=NOW)


VISIBLE = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=40)


@given(VISIBLE, VISIBLE)
def test_whoever_signs_well_is_understood(subject: str, name: str) -> None:
    read = verify(encode(claims(sub=subject, name=name), KEY), RULES, now=NOW)
    assert (read.subject, read.name) == (subject, name)
