"""Answers that must not be believed: each is refused, with a page for the person and a line for the administrator."""

from __future__ import annotations

import base64
import logging
import threading
from typing import Any

import pytest
from lxml import etree
from saml2 import saml
from saml_on_loopback import DIGEST1, DIGEST256, NS, SHA1, TOMORROW, Provider, make_pair, stamp
from saml_walk import EN, NO_DATA, OLD, UNVERIFIED, USED, Change, Site, at, code, edited, post, refused, sign_in, start, who

DATA = "assertion.subject.subject_confirmation.subject_confirmation_data"
WRONG: dict[str, tuple[Change, str, str]] = {
    "for another audience": (
        at("assertion.conditions.audience_restriction.audience", "text", "https://other.test"), "saml_audience", UNVERIFIED,
    ),
    "for everybody": (at("assertion.conditions", "audience_restriction", None), "saml_audience", UNVERIFIED),
    "without conditions": (at("assertion", "conditions", None), "saml_audience", UNVERIFIED),
    "sent to another address": (at("", "destination", "https://other.test/acs"), "saml_destination", UNVERIFIED),
    "for another recipient": (at(DATA, "recipient", "https://other.test/acs"), "saml_recipient", UNVERIFIED),
    "for no recipient": (at(DATA, "recipient", None), "saml_recipient", UNVERIFIED),
    "without an end": (at(DATA, "not_on_or_after", None), "saml_subject", UNVERIFIED),
    "confirmed too long ago": (at(DATA, "not_on_or_after", stamp(-3600)), "saml_expired", OLD),
    "expired": (at("assertion.conditions", "not_on_or_after", stamp(-3600)), "saml_expired", OLD),
    "not yet valid": (at("assertion.conditions", "not_before", TOMORROW), "saml_future", UNVERIFIED),
    "issued in the future": (at("assertion", "issue_instant", TOMORROW), "saml_future", UNVERIFIED),
    "of a session that is over": (
        at("assertion.authn_statement", "session_not_on_or_after", stamp(-3600)), "saml_expired", OLD,
    ),
    "of nobody who signed in": (at("assertion", "authn_statement", []), "saml_subject", UNVERIFIED),
    "confirmed by the holder of a key": (
        at("assertion.subject.subject_confirmation", "method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"),
        "saml_subject", UNVERIFIED,
    ),
    "by another provider": (at("assertion.issuer", "text", "https://other.test"), "saml_issuer", UNVERIFIED),
    "in another provider's answer": (at("issuer", "text", "https://other.test"), "saml_issuer", UNVERIFIED),
    "of another version": (at("assertion", "version", "1.1"), "saml_malformed", UNVERIFIED),
    "with a date that is none": (at("assertion.conditions", "not_before", "yesterday"), "saml_malformed", UNVERIFIED),
    "for another request, in the assertion": (at(DATA, "in_response_to", "_other"), "saml_response_to", UNVERIFIED),
}  # fmt: skip


@NO_DATA
@pytest.mark.parametrize("name", list(WRONG))
def test_a_signed_assertion_is_refused(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    change, reason, words = WRONG[name]
    _, client = site()
    refused(client, sign_in(client, provider, change=change), words)
    assert code(caplog) == reason
    assert "f3b9c2" not in caplog.text


def test_an_answer_from_the_future_is_refused_for_the_right_reason(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    _, client = site(clock_skew=0)
    refused(client, sign_in(client, provider, change=at("assertion.conditions", "not_before", stamp(20))), UNVERIFIED)
    assert code(caplog) == "saml_future"


@pytest.mark.parametrize("skew", [90, 30])
def test_clocks_may_differ_by_the_setting_and_no_more(site: Site, provider: Provider, skew: int) -> None:
    _, client = site(clock_skew=skew)
    late = at("assertion.conditions", "not_on_or_after", stamp(-60))
    early = at("assertion.conditions", "not_before", stamp(60))
    for change in (late, early):
        answer = sign_in(client.application.test_client(), provider, change=change)
        assert answer.status_code == (303 if skew == 90 else 403)


@NO_DATA
def test_an_unsigned_assertion_is_refused(site: Site, provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    _, client = site()
    refused(client, sign_in(client, provider, sign_assertion=False), UNVERIFIED)
    assert code(caplog) == "saml_unsigned"
    refused(client, sign_in(client, provider, sign_assertion=False, sign_response=True), UNVERIFIED)
    assert code(caplog) == "saml_unsigned"
    _, client = site(signed="either")
    refused(client, sign_in(client, provider, sign_assertion=False), UNVERIFIED)


@NO_DATA
def test_a_strangers_signature_is_refused(
    site: Site, provider: Provider, stranger: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    _, client = site()
    refused(client, sign_in(client, provider, key=stranger[0]), UNVERIFIED)
    assert code(caplog) == "saml_signature"
    _, client = site(signed="either")
    refused(client, sign_in(client, provider, key=stranger[0], sign_assertion=False, sign_response=True), UNVERIFIED)
    assert code(caplog) == "saml_signature"


@NO_DATA
def test_a_certificate_that_comes_along_is_not_believed(
    site: Site, provider: Provider, stranger: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    from rse_sso.saml.keys import body

    def carry(root: Any) -> None:
        signature = root.find(".//d:Signature", NS)
        info = etree.SubElement(signature, f"{{{NS['d']}}}KeyInfo")
        data = etree.SubElement(info, f"{{{NS['d']}}}X509Data")
        etree.SubElement(data, f"{{{NS['d']}}}X509Certificate").text = body(stranger[1])

    _, client = site()
    refused(client, sign_in(client, provider, key=stranger[0], change_last=edited(carry)), UNVERIFIED)
    assert code(caplog) == "saml_signature"


@NO_DATA
@pytest.mark.parametrize(("algorithm", "digest"), [(SHA1, DIGEST1), (SHA1, DIGEST256), (None, DIGEST1)])
def test_sha1_is_never_accepted(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture, algorithm: str | None, digest: str
) -> None:
    _, client = site()
    more = {"algorithm": algorithm} if algorithm else {}
    refused(client, sign_in(client, provider, digest=digest, **more), UNVERIFIED)
    assert code(caplog) == "saml_algorithm"


def test_an_algorithm_that_is_not_on_the_list_is_refused(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    _, client = site(algorithms=["rsa-sha512"])
    refused(client, sign_in(client, provider), UNVERIFIED)
    assert code(caplog) == "saml_algorithm"
    again = sign_in(client, provider, algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha512")
    assert again.status_code == 303


def test_a_changed_word_breaks_the_signature(site: Site, provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    _, client = site()
    changed = sign_in(client, provider, change_last=lambda text: text.replace("hdupont", "amartin"))
    refused(client, changed, UNVERIFIED)
    assert code(caplog) == "saml_signature"
    whole = sign_in(
        client, provider, sign_response=True, change_last=lambda text: text.replace("status:Success", "status:Succesz")
    )
    refused(client, whole, UNVERIFIED)


def test_an_answer_serves_once_in_every_process(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    core, client = site()
    answer = provider.answer(provider.request(start(client)))
    (cookie,) = (each for each in client._cookies.values() if each.key.startswith("rse_attempt_"))
    assert post(client, answer).status_code == 303
    # Another server on the same database, and a thief with the cookie of the attempt.
    from rse_core.extension import create_app

    other = create_app(core).test_client()
    other.set_cookie(cookie.key, cookie.value, path="/rse/saml")
    refused(other, post(other, answer), USED)
    assert code(caplog) == "saml_replayed"


def test_of_two_at_once_one_is_let_in(site: Site, provider: Provider) -> None:
    _, client = site()
    answer = provider.answer(provider.request(start(client)))
    (cookie,) = (each for each in client._cookies.values() if each.key.startswith("rse_attempt_"))
    found: list[int] = []

    def go() -> None:
        one = client.application.test_client()
        one.set_cookie(cookie.key, cookie.value, path="/rse/saml")
        found.append(post(one, answer).status_code)

    threads = [threading.Thread(target=go) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(found) == [303, 403, 403, 403]


def test_another_assertion_for_a_request_that_was_answered_is_refused(site: Site, provider: Provider) -> None:
    _, client = site()
    request = provider.request(start(client))
    first, second = provider.answer(request), provider.answer(request)
    (cookie,) = (each for each in client._cookies.values() if each.key.startswith("rse_attempt_"))
    assert post(client, first).status_code == 303
    other = client.application.test_client()
    other.set_cookie(cookie.key, cookie.value, path="/rse/saml")
    refused(other, post(other, second), USED)


def test_an_answer_is_worth_nothing_in_another_browser(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    _, client = site()
    answer = provider.answer(provider.request(start(client)))
    other = client.application.test_client()
    refused(other, post(other, answer), "was not begun in this browser")
    assert code(caplog) == "attempt_unknown"
    start(other)
    refused(other, post(other, answer), "was not begun in this browser")


def test_an_answer_nobody_asked_for_is_refused_before_anything_is_verified(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, client = site()
    answer = provider.answer(provider.request(start(client)), irt=None)

    def never(*_arguments: Any, **_more: Any) -> Any:
        raise AssertionError("xmlsec1 was asked")

    monkeypatch.setattr("rse_sso.saml.crypto.Xmlsec._run_xmlsec", never)
    refused(client, post(client, answer), "was not begun in this browser")
    assert code(caplog) == "saml_unsolicited"


def test_an_answer_nobody_asked_for_serves_once_where_that_is_allowed(site: Site, provider: Provider) -> None:
    _, client = site(allow_unsolicited=True)
    request = provider.request(start(client))
    answer = provider.answer(request, irt=None)
    assert post(client, answer, RelayState="/news/7").headers["Location"] == "/news/7"
    assert who(client) == "hdupont"
    other = client.application.test_client()
    refused(other, post(other, answer), USED)
    elsewhere = post(other, provider.answer(request, irt=None), RelayState="https://evil.test/")
    assert elsewhere.headers["Location"] == "/rse/"


def test_an_assertion_that_names_a_request_is_not_unsolicited_because_its_answer_names_none(
    site: Site, provider: Provider
) -> None:
    _, client = site(allow_unsolicited=True)
    request = provider.request(start(client))
    other = client.application.test_client()
    stripped = provider.answer(request, change=at("", "in_response_to", None))
    refused(other, post(other, stripped), "was not begun in this browser")


def test_a_condition_that_is_not_known_is_refused(site: Site, provider: Provider) -> None:
    def change(response: Any) -> None:
        response.assertion.conditions.condition = [saml.Condition()]

    _, client = site()
    refused(client, sign_in(client, provider, change=change), UNVERIFIED)


def test_of_several_audience_restrictions_each_must_name_the_site(site: Site, provider: Provider) -> None:
    def change(response: Any) -> None:
        more = saml.AudienceRestriction(audience=[saml.Audience(text="https://other.test")])
        response.assertion.conditions.audience_restriction.append(more)

    def both(response: Any) -> None:
        response.assertion.conditions.audience_restriction[0].audience.append(saml.Audience(text="https://other.test"))

    _, client = site()
    refused(client, sign_in(client, provider, change=change), UNVERIFIED)
    assert sign_in(client, provider, change=both).status_code == 303


def test_a_signed_answer_must_say_where_it_goes(site: Site, provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    _, client = site()
    nowhere = at("", "destination", None)
    refused(client, sign_in(client, provider, change=nowhere, sign_response=True), UNVERIFIED)
    assert code(caplog) == "saml_destination"
    assert sign_in(client, provider, change=nowhere).status_code == 303


@NO_DATA
def test_a_refusal_names_neither_the_person_nor_the_message(
    site: Site, provider: Provider, stranger: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    _, client = site()
    text = provider.answer(provider.request(start(client)), key=stranger[0])
    answer = post(client, text)
    for word in ("hdupont", "f3b9c2", "SignatureValue", text[:80], base64.b64decode(text)[:60].decode()):
        assert word not in caplog.text
        assert word not in answer.text


@NO_DATA
def test_a_provider_with_a_weak_key_is_not_believed(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    _, certificate = make_pair(provider.folder, "weak", bits=1024)
    _, client = site()
    provider.write_metadata(certificate)
    answer = client.get("/rse/saml/start", headers=EN)
    refused(client, answer, "not set up correctly", 500)
    assert code(caplog) == "saml_metadata"
