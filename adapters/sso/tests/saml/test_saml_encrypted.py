"""Assertions that the provider encrypted to RSE's key, and those that it did not."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree
from saml_on_loopback import NS, Provider, make_pair
from saml_walk import NO_DATA, UNVERIFIED, WEAK, XENC, Site, code, edited, forged, refused, sign_in, start, who

pytestmark = NO_DATA


@pytest.mark.parametrize("cipher", ["http://www.w3.org/2009/xmlenc11#aes256-gcm", f"{XENC}aes128-cbc"])
def test_an_encrypted_assertion_is_read(
    site: Site, provider: Provider, keys: tuple[str, str], cipher: str
) -> None:
    _, client = site(require_encryption=True)
    answer = sign_in(client, provider, encrypt_to=keys[1], cipher=cipher, sign_response=True)
    assert answer.status_code == 303, answer.text
    assert who(client) == "hdupont"


def test_one_in_the_clear_is_refused_where_encryption_is_required(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    _, client = site(require_encryption=True)
    refused(client, sign_in(client, provider), UNVERIFIED)
    assert code(caplog) == "saml_unencrypted"


def test_one_for_another_key_is_refused(
    site: Site, provider: Provider, stranger: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    _, client = site()
    refused(client, sign_in(client, provider, encrypt_to=stranger[1]), UNVERIFIED)
    assert code(caplog) == "saml_encryption"


def test_the_previous_key_still_opens_while_providers_change_over(site: Site, provider: Provider) -> None:
    key, certificate = make_pair(provider.folder, "rse-before")
    _, client = site(previous_key_file=key, previous_certificate_file=certificate)
    assert sign_in(client, provider, encrypt_to=certificate).status_code == 303


@WEAK
def test_a_weak_way_to_encrypt_is_refused(
    site: Site, provider: Provider, keys: tuple[str, str], caplog: pytest.LogCaptureFixture, cipher: str, wrap: str
) -> None:
    _, client = site()
    refused(client, sign_in(client, provider, encrypt_to=keys[1], cipher=cipher, wrap=wrap), UNVERIFIED)
    assert code(caplog) == "saml_algorithm"


def test_a_weak_key_that_stands_elsewhere_is_refused_too(
    site: Site, provider: Provider, keys: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    def move(root: Any) -> None:
        key = root.find(".//e:EncryptedKey", NS)
        method = key.find("e:EncryptionMethod", NS)
        method.set("Algorithm", f"{XENC}rsa-1_5")
        info = key.getparent()
        info.remove(key)
        etree.SubElement(info, f"{{{NS['d']}}}RetrievalMethod", URI=f"#{key.get('Id')}")
        box = etree.Element(f"{{{NS['p']}}}Extensions")
        root.insert(1, box)
        box.append(key)

    _, client = site()
    refused(client, sign_in(client, provider, encrypt_to=keys[1], change_last=edited(move)), UNVERIFIED)
    assert code(caplog) == "saml_algorithm"


def test_what_was_encrypted_must_be_signed_all_the_same(
    site: Site, provider: Provider, keys: tuple[str, str], stranger: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    # Anybody may encrypt to RSE: its certificate is public.
    _, client = site()
    refused(client, sign_in(client, provider, encrypt_to=keys[1], sign_assertion=False), UNVERIFIED)
    assert code(caplog) == "saml_unsigned"
    refused(client, sign_in(client, provider, encrypt_to=keys[1], key=stranger[0]), UNVERIFIED)
    assert code(caplog) == "saml_signature"


def test_what_was_encrypted_is_no_less_wrapped(site: Site, provider: Provider, keys: tuple[str, str]) -> None:
    def hidden(root: Any) -> None:
        real = root.find("s:Assertion", NS)
        fake = forged(real)
        fake.append(box := etree.Element(f"{{{NS['s']}}}Advice"))
        root.replace(real, fake)
        box.append(real)

    _, client = site()
    answer = sign_in(client, provider, encrypt_to=keys[1], change_plain=edited(hidden))
    refused(client, answer, UNVERIFIED)


def test_an_assertion_beside_an_encrypted_one_is_refused(
    site: Site, provider: Provider, keys: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    def both(root: Any) -> None:
        made = etree.fromstring(provider.xml(provider.request(start(client))).encode())
        root.insert(2, made.find("s:Assertion", NS))

    _, client = site()
    refused(client, sign_in(client, provider, encrypt_to=keys[1], change_last=edited(both)), UNVERIFIED)
    assert code(caplog) == "saml_wrapped"


def test_a_reference_in_place_of_the_encrypted_text_is_never_followed(
    site: Site, provider: Provider, keys: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    def refer(root: Any) -> None:
        value = root.find(".//e:EncryptedData/e:CipherData", NS)
        value.clear()
        etree.SubElement(value, f"{{{XENC}}}CipherReference", URI="http://127.0.0.1:9/secret")

    def fetch_key(root: Any) -> None:
        info = root.find(".//e:EncryptedData/d:KeyInfo", NS)
        info.clear()
        etree.SubElement(info, f"{{{NS['d']}}}RetrievalMethod", URI="http://127.0.0.1:9/key")

    _, client = site()
    for change in (refer, fetch_key):
        refused(client, sign_in(client, provider, encrypt_to=keys[1], change_last=edited(change)), UNVERIFIED)
        assert code(caplog) == "saml_encryption"
