"""A person and a browser on their way through an identity provider."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint
from flask.testing import FlaskClient
from lxml import etree
from saml_on_loopback import ACS, ISSUER, NS, Provider

from rse_core.api import Core, Manifest, Plugin, hookimpl
from rse_core.webapi import current_identity, current_person

WHO, LOGOUT = "/rse/probe/who", "/rse/saml/logout"
NO_DATA = pytest.mark.parametrize("rse_database", ["sqlite"], indirect=True)
"""For what is refused before the database is asked: one kind is enough."""

XENC = "http://www.w3.org/2001/04/xmlenc#"
WEAK = pytest.mark.parametrize(
    ("cipher", "wrap"),
    [("http://www.w3.org/2009/xmlenc11#aes256-gcm", f"{XENC}rsa-1_5"), (f"{XENC}tripledes-cbc", f"{XENC}rsa-oaep-mgf1p")],
)
"""Ways to encrypt that are refused: how the key is wrapped, and the cipher."""

EN = {"Accept-Language": "en"}
UNVERIFIED, OLD, USED = "could not be verified", "out of date", "already been used"


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


Change = Callable[[Any], None]
Site = Callable[..., tuple[Core, FlaskClient]]


def table(provider: Provider, keys: tuple[str, str], **changes: Any) -> dict[str, Any]:
    found = {
        "issuer": ISSUER, "acs_url": ACS, "metadata_file": str(provider.file), "private_key_file": keys[0],
        "certificate_file": keys[1], "identifier": "uid", "name": "cn", "email": "mail", "attributes": {"entity": "entity"},
        **changes,
    }  # fmt: skip
    return {key: value for key, value in found.items() if value is not None}


def start(client: FlaskClient, return_to: str = "/actualites/42") -> str:
    answer = client.get("/rse/saml/start", query_string={"return_to": return_to})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def post(client: FlaskClient, answer: str, **more: str) -> Any:
    return client.post("/rse/saml/acs", data={"SAMLResponse": answer, **more}, headers=EN)


def sign_in(client: FlaskClient, provider: Provider, return_to: str = "/actualites/42", **changes: Any) -> Any:
    return post(client, provider.answer(provider.request(start(client, return_to)), **changes))


def send(client: FlaskClient, provider: Provider, way: str, message: Any, **more: Any) -> Any:
    if way == "redirect":
        return client.get(f"{LOGOUT}?{provider.query(message, **more)}", headers=EN)
    if way == "soap":
        message.destination = "http://localhost/rse/saml/logout/soap"
    text = provider.signed(message, **more)
    if way == "post":
        return client.post(LOGOUT, data={"SAMLRequest": base64.b64encode(text.encode()).decode()}, headers=EN)
    inner = text.partition("?>")[2] if text.startswith("<?xml") else text
    envelope = f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{inner}</e:Body></e:Envelope>'
    return client.post(f"{LOGOUT}/soap", data=envelope.encode(), content_type="text/xml", headers=EN)


def who(client: FlaskClient) -> str:
    return client.get(WHO).text


def refused(client: FlaskClient, answer: Any, words: str, status: int = 403) -> None:
    assert answer.status_code == status, answer.text
    assert words in answer.text
    assert who(client) == "nobody"


def edited(change: Callable[[Any], None]) -> Callable[[str], str]:
    """Change a message after it was made, prefixes and all kept."""

    def run(text: str) -> str:
        root = etree.fromstring(text.encode())
        change(root)
        return etree.tostring(root).decode()

    return run


def code(caplog: pytest.LogCaptureFixture) -> str:
    """The reason on the administrator's line."""
    lines = [record.getMessage() for record in caplog.records if "Sign-in refused" in record.getMessage()]
    assert lines, caplog.text
    return lines[-1].partition("reason=")[2].partition(" ")[0]


def forged(assertion: Any) -> Any:
    """A copy of an assertion that says that somebody else signed in; the signature is taken off."""
    made = copy.deepcopy(assertion)
    made.remove(made.find("d:Signature", NS))
    made.set("ID", "_forged")
    for each in made.findall(".//s:AttributeValue", NS):
        each.text = (each.text or "").replace("hdupont", "amartin")
    return made


def at(path: str, name: str, value: str | None) -> Change:
    """Set a field of the answer before it is signed, or take it away."""

    def change(response: Any) -> None:
        found = response
        for step in path.split(".") if path else []:
            found = getattr(found, step)
            found = found[0] if isinstance(found, list) else found
        setattr(found, name, value)

    return change
