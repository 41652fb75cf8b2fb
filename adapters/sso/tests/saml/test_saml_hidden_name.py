"""The person's name as the provider encrypts it, in assertions and in its sign-outs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree
from saml2 import saml
from saml_on_loopback import NS, TRANSIENT, Provider, make_pair
from saml_walk import NO_DATA, UNVERIFIED, WEAK, XENC, Site, code, edited, refused, send, sign_in, who

SAML = f"{{{NS['s']}}}"
BY_NAME = {"identifier": None, "name": None, "email": None, "attributes": None}
"""Nothing but the NameID says who the person is."""


@pytest.mark.parametrize("cipher", ["http://www.w3.org/2009/xmlenc11#aes256-gcm", f"{XENC}aes128-cbc"])
def test_an_encrypted_name_signs_in_and_its_sign_out_finds_the_session(
    site: Site, provider: Provider, keys: tuple[str, str], cipher: str
) -> None:
    _, client = site(**BY_NAME)
    answer = sign_in(client, provider, hide_to=keys[1], cipher=cipher, name_id="hdupont")
    assert answer.status_code == 303, answer.text
    assert who(client) == "hdupont"
    phone = client.application.test_client()
    sign_in(phone, provider, hide_to=keys[1], name_id="hdupont", index="phone")
    # In the clear or not, it is one name.
    assert send(client, provider, "redirect", provider.logout_request(name_id="hdupont")).status_code == 303
    assert (who(client), who(phone)) == ("nobody", "hdupont")


@NO_DATA
def test_a_name_is_hidden_twice_where_the_assertion_is_encrypted_too(
    site: Site, provider: Provider, keys: tuple[str, str]
) -> None:
    _, client = site(require_encryption=True, **BY_NAME)
    answer = sign_in(client, provider, hide_to=keys[1], encrypt_to=keys[1], name_id="hdupont")
    assert answer.status_code == 303, answer.text
    assert who(client) == "hdupont"


@NO_DATA
def test_a_hidden_name_is_no_encrypted_assertion(
    site: Site, provider: Provider, keys: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    _, client = site(require_encryption=True)
    refused(client, sign_in(client, provider, hide_to=keys[1]), UNVERIFIED)
    assert code(caplog) == "saml_unencrypted"


@NO_DATA
def test_the_previous_key_opens_a_name_while_providers_change_over(site: Site, provider: Provider) -> None:
    key, certificate = make_pair(provider.folder, "rse-last")
    _, client = site(previous_key_file=key, previous_certificate_file=certificate)
    assert sign_in(client, provider, hide_to=certificate).status_code == 303


@NO_DATA
def test_a_name_for_another_key_is_refused(
    site: Site, provider: Provider, stranger: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    _, client = site()
    refused(client, sign_in(client, provider, hide_to=stranger[1]), UNVERIFIED)
    assert code(caplog) == "saml_encryption"


@NO_DATA
@WEAK
def test_a_weak_way_to_hide_a_name_is_refused(
    site: Site, provider: Provider, keys: tuple[str, str], caplog: pytest.LogCaptureFixture, cipher: str, wrap: str
) -> None:
    _, client = site()
    refused(client, sign_in(client, provider, hide_to=keys[1], cipher=cipher, wrap=wrap), UNVERIFIED)
    assert code(caplog) == "saml_algorithm"


@NO_DATA
def test_anothers_name_encrypted_by_anybody_does_not_take_the_place_of_the_signed_one(
    site: Site, provider: Provider, keys: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    # Anybody may encrypt to RSE: its certificate is public.
    def other() -> Any:
        text = f'<Subject xmlns="{NS["s"]}"><NameID>amartin</NameID></Subject>'
        return etree.fromstring(provider.hidden(text, keys[1]).encode()).find("s:EncryptedID", NS)

    def replaced(root: Any) -> None:
        subject = root.find(".//s:Subject", NS)
        subject.replace(subject[0], other())

    def beside(root: Any) -> None:
        root.find(".//s:Subject", NS).insert(0, other())

    def before(root: Any) -> None:
        # Where only the assertion is signed, what stands before it is anybody's.
        box = etree.Element(f"{{{NS['p']}}}Extensions")
        box.append(other())
        root.insert(1, box)

    _, client = site(**BY_NAME)
    hostile: list[tuple[Callable[[Any], None], dict[str, Any], str]] = [
        (replaced, {}, "saml_signature"), (replaced, {"hide_to": keys[1]}, "saml_signature"),
        (beside, {}, "saml_signature"), (before, {"hide_to": keys[1]}, "saml_wrapped"),
    ]  # fmt: skip
    for change, how, reason in hostile:
        refused(client, sign_in(client, provider, name_id="hdupont", change_last=edited(change), **how), UNVERIFIED)
        assert code(caplog) == reason, change


@NO_DATA
def test_two_names_are_refused_even_of_the_provider_itself(
    site: Site, provider: Provider, keys: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    _, client = site(**BY_NAME)
    made = saml.NameID(text="amartin")

    def with_plain(text: str) -> str:
        root = etree.fromstring(text.encode())
        root.find(".//s:Subject", NS).insert(0, etree.fromstring(str(made).encode()))
        return etree.tostring(root).decode()

    hidden = provider.hidden

    def both(text: str, to: str, *more: str) -> str:
        return with_plain(hidden(text, to, *more))

    provider.hidden = both  # type: ignore[method-assign]
    try:
        refused(client, sign_in(client, provider, name_id="hdupont", hide_to=keys[1]), UNVERIFIED)
    finally:
        del provider.hidden  # type: ignore[method-assign]
    assert code(caplog) == "saml_wrapped"


def inside(make: Callable[[Any], None]) -> Callable[[Any], None]:
    """Change what will be encrypted, before anything is signed."""

    def change(response: Any) -> None:
        make(response.assertion.subject.name_id)

    return change


def no_name(response: Any) -> None:
    """What stands where a NameID may, and is none."""
    response.assertion.subject.name_id = None
    response.assertion.subject.base_id = saml.BaseID(name_qualifier="hdupont")


@NO_DATA
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (inside(lambda name: setattr(name, "text", "")), "saml_subject"),
        (inside(lambda name: setattr(name, "sp_name_qualifier", "https://other.test")), "saml_subject"),
        (inside(lambda name: setattr(name, "format", TRANSIENT)), "saml_subject"),
        (inside(lambda name: setattr(name, "text", "h\u00adupont\u202e")), "saml_subject"),
        (no_name, "saml_encryption"),
    ],
    ids=["empty", "another-site", "transient", "control", "no-name"],
)
def test_what_was_hidden_is_read_as_strictly(
    site: Site, provider: Provider, keys: tuple[str, str], caplog: pytest.LogCaptureFixture, change: Any, reason: str
) -> None:
    _, client = site(**BY_NAME)
    answer = sign_in(client, provider, name_id="hdupont", hide_to=keys[1], change=change)
    refused(client, answer, UNVERIFIED)
    assert code(caplog) == reason


@NO_DATA
@pytest.mark.parametrize("part", ["text", "key"])
def test_a_hidden_name_that_stands_elsewhere_is_never_fetched(
    site: Site, provider: Provider, keys: tuple[str, str], caplog: pytest.LogCaptureFixture, part: str
) -> None:
    hidden = provider.hidden

    def elsewhere(text: str, to: str, *more: str) -> str:
        root = etree.fromstring(hidden(text, to, *more).encode())
        path = ".//e:EncryptedData/e:CipherData" if part == "text" else ".//e:EncryptedData/d:KeyInfo"
        found = root.find(path, NS)
        found.clear()
        if part == "text":
            etree.SubElement(found, f"{{{XENC}}}CipherReference", URI="http://127.0.0.1:9/secret")
        else:
            etree.SubElement(found, f"{{{NS['d']}}}RetrievalMethod", URI="http://127.0.0.1:9/key")
        return etree.tostring(root).decode()

    _, client = site()
    provider.hidden = elsewhere  # type: ignore[method-assign]
    try:
        refused(client, sign_in(client, provider, hide_to=keys[1]), UNVERIFIED)
    finally:
        del provider.hidden  # type: ignore[method-assign]
    assert code(caplog) == "saml_encryption"


@pytest.mark.parametrize("way", ["redirect", "post", "soap"])
def test_a_sign_out_may_hide_whom_it_names(
    site: Site, provider: Provider, keys: tuple[str, str], way: str
) -> None:
    _, client = site()
    other = client.application.test_client()
    sign_in(client, provider)
    sign_in(other, provider, name_id="a77", person={"uid": "amartin"})
    answer = send(client, provider, way, provider.logout_request(), change=lambda text: provider.hidden(text, keys[1]))
    assert answer.status_code == {"redirect": 303, "post": 303, "soap": 200}[way], answer.text
    assert (who(client), who(other)) == ("nobody", "amartin")


@NO_DATA
@pytest.mark.parametrize("way", ["redirect", "post", "soap"])
def test_a_sign_out_whose_hidden_name_does_not_hold_ends_nothing(
    site: Site, provider: Provider, keys: tuple[str, str], stranger: tuple[str, str],
    caplog: pytest.LogCaptureFixture, way: str,
) -> None:  # fmt: skip
    def twice(text: str) -> str:
        root = etree.fromstring(provider.hidden(text, keys[1]).encode())
        name = root.find("s:EncryptedID", NS)
        name.addnext(etree.fromstring(str(saml.NameID(text="f3b9c2")).encode()))
        return etree.tostring(root).decode()

    _, client = site()
    sign_in(client, provider)
    hostile: list[tuple[Callable[[str], str], dict[str, Any], str]] = [
        (lambda text: provider.hidden(text, stranger[1]), {}, "saml_encryption"),
        (lambda text: provider.hidden(text, keys[1], wrap=f"{XENC}rsa-1_5"), {}, "saml_algorithm"),
        (lambda text: provider.hidden(text, keys[1]), {"key": stranger[0]}, "saml_signature"),
        (twice, {}, "saml_wrapped"),
    ]  # fmt: skip
    for change, how, reason in hostile:
        answer = send(client, provider, way, provider.logout_request(), change=change, **how)
        assert answer.status_code in (400, 403)
        assert code(caplog) == reason
    assert who(client) == "hdupont"
