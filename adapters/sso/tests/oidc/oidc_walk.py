"""A person and a browser on their way through a provider on loopback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint
from flask.testing import FlaskClient
from oidc_on_loopback import Provider

from rse_core.api import Core, Manifest, Plugin, hookimpl
from rse_core.webapi import current_person

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


def table(provider: Provider, **changes: Any) -> dict[str, Any]:
    return {
        "issuer": provider.issuer,
        "client_id": provider.client[0],
        "client_secret": provider.client[1],
        "redirect_uri": "http://localhost/rse/oidc/callback",
        **changes,
    }


Site = Callable[..., tuple[Core, FlaskClient]]


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


def claims(**changes: Any) -> Callable[[dict[str, Any]], None]:
    def change(found: dict[str, Any]) -> None:
        found.update(changes)
        for key in [key for key, value in found.items() if value is None]:
            del found[key]

    return change
