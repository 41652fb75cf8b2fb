"""Messages built so that something else is read than was signed, and messages that are no plain XML."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from saml_on_loopback import NS, Provider
from saml_walk import EN, NO_DATA, UNVERIFIED, Site, code, edited, forged, post, refused, sign_in, start

from rse_sso.reasons import SsoRefused
from rse_sso.saml.bindings import from_envelope, read_query, unpacked
from rse_sso.saml.response import read as read_answer
from rse_sso.saml.xml import parse, parse_any, text_of

Change = Callable[[Any], None]


def beside(root: Any) -> None:
    root.insert(2, forged(root.find("s:Assertion", NS)))


def after(root: Any) -> None:
    root.append(forged(root.find("s:Assertion", NS)))


def signed_inside(root: Any) -> None:
    """The forged assertion in its place; the one that was signed inside an extension."""
    real = root.find("s:Assertion", NS)
    root.replace(real, fake := forged(real))
    box = etree.Element(f"{{{NS['p']}}}Extensions")
    root.insert(1, box)
    box.append(real)
    assert fake.getparent() is root


def in_its_signature(root: Any) -> None:
    """The forged assertion bears the signature, whose Object holds what was signed."""
    real = root.find("s:Assertion", NS)
    root.replace(real, fake := forged(real))
    signature = real.find("d:Signature", NS)
    real.remove(signature)
    fake.insert(1, signature)
    etree.SubElement(signature, f"{{{NS['d']}}}Object").append(real)


def in_advice(root: Any) -> None:
    real = root.find("s:Assertion", NS)
    root.replace(real, fake := forged(real))
    fake.append(box := etree.Element(f"{{{NS['s']}}}Advice"))
    box.append(real)


def same_name(root: Any) -> None:
    real = root.find("s:Assertion", NS)
    fake = forged(real)
    fake.set("ID", real.get("ID"))
    root.replace(real, fake)
    root.append(etree.Element(f"{{{NS['p']}}}Extensions"))
    root[-1].append(real)


def two_references(root: Any) -> None:
    info = root.find(".//d:SignedInfo", NS)
    info.append(copy.deepcopy(info.find("d:Reference", NS)))


def whole_document(root: Any) -> None:
    root.find(".//d:Reference", NS).set("URI", "")


def elsewhere(root: Any) -> None:
    root.find(".//d:Reference", NS).set("URI", "http://127.0.0.1:9/x")


def borrowed(root: Any) -> None:
    """The answer's own signature is that of the assertion."""
    root.insert(1, copy.deepcopy(root.find("s:Assertion/d:Signature", NS)))


def moved(root: Any) -> None:
    assertion = root.find("s:Assertion", NS)
    signature = assertion.find("d:Signature", NS)
    assertion.remove(signature)
    assertion.append(signature)


def in_the_issuer(root: Any) -> None:
    issuer = root.find("s:Assertion/s:Issuer", NS)
    issuer.append(copy.deepcopy(root.find("s:Assertion/d:Signature", NS)))


def wrapped_answer(root: Any) -> None:
    inner = copy.deepcopy(root)
    for each in list(root):
        root.remove(each)
    root.append(forged(inner.find("s:Assertion", NS)))
    root.append(inner)


@NO_DATA
@pytest.mark.parametrize(
    "wrap",
    [beside, after, signed_inside, in_its_signature, in_advice, same_name, two_references, whole_document, elsewhere,
     borrowed, moved, in_the_issuer, wrapped_answer],
)  # fmt: skip
@pytest.mark.parametrize("signed", ["assertion", "either"])
def test_what_was_not_signed_is_never_read(site: Site, provider: Provider, wrap: Change, signed: str) -> None:
    _, client = site(signed=signed)
    answer = sign_in(client, provider, change_last=edited(wrap))
    refused(client, answer, UNVERIFIED)
    assert "Alice" not in answer.text


@NO_DATA
def test_a_transform_that_drops_what_matters_is_refused(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    def change(root: Any) -> None:
        last = root.findall(".//d:Transform", NS)[-1]
        last.set("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")

    _, client = site()
    refused(client, sign_in(client, provider, change_last=edited(change)), UNVERIFIED)
    assert code(caplog) == "saml_algorithm"


DTD = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
LAUGHS = '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@NO_DATA
@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: DTD + text.partition("?>")[2].replace("hdupont", "&x;"),
        lambda text: LAUGHS + text.partition("?>")[2].replace("hdupont", "&b;"),
        lambda text: text.replace("f3b9c2", "f3b<!-- -->9c2"),
        lambda text: text.replace("hdupont", "hdu<!-- x -->pont"),
        lambda text: text.replace("hdupont", "<![CDATA[hdupont]]>"),
        lambda text: text.replace("hdupont", "hdu<?x y?>pont"),
        lambda text: text.replace("?>", "?>\n<?xml-stylesheet href='http://127.0.0.1:9/'?>", 1),
        lambda text: text.replace("hdupont", "hdupont&x;"),
        lambda text: "<a>" * 3000 + "</a>" * 3000,
        lambda text: "<a>" + "<b/>" * 9000 + "</a>",
        lambda text: text[:-20],
        lambda text: "",
        lambda text: text.replace("?>", " encoding='iso-8859-1'?>", 1) if "encoding" not in text else text[1:],
    ],
    ids=["xxe", "laughs", "comment in the NameID", "comment in an attribute", "cdata", "instruction", "stylesheet",
         "entity", "deep", "wide", "cut", "empty", "encoding"],
)  # fmt: skip
def test_a_message_that_is_not_plain_xml_is_refused(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture, spoil: Callable[[str], str]
) -> None:
    _, client = site()
    refused(client, sign_in(client, provider, change_last=spoil), UNVERIFIED)
    assert code(caplog) == "saml_malformed"


@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: f"<a ID='x'>{text}</a>".encode())))
def test_whatever_comes_is_read_or_refused_and_breaks_nothing(raw: bytes) -> None:
    for read in (parse, lambda raw: unpacked(raw.decode("latin-1")), read_query, read_answer, from_envelope):
        with contextlib.suppress(SsoRefused):
            read(raw)


def test_a_comment_cannot_shorten_a_name_even_where_it_survives() -> None:
    # The rule above aside: the whole text is read, not what stands before a comment.
    assert text_of(parse_any(b"<a>admin<!-- -->@evil.test</a>")) == "admin@evil.test"


@NO_DATA
@pytest.mark.parametrize("field", ["!!!", "", "PHNhbWw+", "A" * 500_000])
def test_a_field_that_is_no_message_is_refused(site: Site, field: str) -> None:
    _, client = site()
    refused(client, post(client, field), UNVERIFIED)


def test_a_huge_answer_is_refused_and_so_is_one_that_came_twice(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    _, client = site()
    answer = provider.answer(provider.request(start(client)), change_last=lambda text: text + " " * 300_000)
    refused(client, post(client, answer), UNVERIFIED)
    assert code(caplog) == "saml_too_long"
    twice = client.post("/rse/saml/acs", data={"SAMLResponse": [answer, answer]}, headers=EN)
    refused(client, twice, UNVERIFIED)
    body = client.post("/rse/saml/acs", data={"SAMLResponse": "A" * 30_000_000}, headers=EN)
    assert body.status_code == 413
    refused(client, client.get("/rse/saml/acs", headers=EN), "", 405)
