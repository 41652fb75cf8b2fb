"""Every page and every form of those who run the site, sent what no form sends: a sentence each, never an error."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest

import rse_governance
import rse_indicators
import rse_onboarding
from rse_core import roles
from rse_core.api import Actor, Level
from rse_core.extension import create_app
from rse_core.testing import as_person
from rse_core.testing.organisation import make_entity, make_person, set_level

OURS = ("rse_admin", "rse_governance", "rse_indicators", "rse_onboarding", "rse_leavers")
#: Fields and parameters of all these pages.
FIELDS = (
    "act", "actor", "address", "after", "audience", "before", "binned", "body", "by", "capability", "confirm", "days",
    "disclose", "entities", "entity", "find", "form", "from", "from_date", "from_time", "groups", "held", "ics", "key",
    "kind", "lang", "level", "locale", "message", "min_weeks", "mode", "months", "name", "note", "on", "order", "owner",
    "people", "person", "plan", "plugin", "position", "public", "purpose", "reason", "ref", "replaces", "respondents",
    "scope", "seen", "shown", "since", "space", "starts", "state", "step", "subject", "text", "title", "to", "tool",
    "tool_id", "use", "username", "value", "version", "video", "wave", "weeks", "what", "where", "why", "window_weeks",
    "words",
)  # fmt: skip
VALUES = {
    "a NUL": "a\x00b", "a long text": "x" * 30_000, "a large number": "9" * 40, "endless": "inf",
    "the year one": "0001-01-01", "the last day": "9999-12-31", "digits that are none": "²", "nothing": "",
}  # fmt: skip


@pytest.fixture
def rse_plugins() -> list[Any]:
    return [module.plugin for module in (rse_governance, rse_indicators, rse_onboarding)]


@pytest.fixture
def client(core: Any) -> Any:
    boss = make_person(core, "boss", entity=make_entity(core, "top"), locale="en")
    set_level(core, Level.COCREATE)
    with core.db.write() as session:
        roles.grant(session, boss.id, "site_admin", actor=Actor("test"))
    app = create_app(core)
    app.config["RATELIMIT_ENABLED"] = False
    return as_person(app.test_client(), boss)


def addresses(app: Any, method: str, value: str) -> list[str]:
    """The addresses of one method, their parameters replaced: numbers by 1, texts by what is sent."""
    text = quote(value[:300], safe="") or "x"
    return [
        "/rse" + re.sub(r"<(?:path:|string:)?\w+>", text, re.sub(r"<int:\w+>", "1", rule.rule))
        for rule in app.url_map.iter_rules()
        if method in rule.methods and rule.endpoint.split(".")[0] in OURS and not rule.endpoint.endswith(".static")
    ]


@pytest.mark.parametrize("name", VALUES)
def test_nothing_that_is_typed_is_an_error(client: Any, name: str) -> None:
    value = VALUES[name]
    app = client.application
    page = client.get("/rse/admin/").get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    wrong = []
    for method in ("GET", "POST"):
        found = addresses(app, method, value)
        assert len(found) > 20
        for address in found:
            if "view-as" in address and method == "POST":
                continue
            sent = dict.fromkeys(FIELDS, value)
            try:
                if method == "GET":
                    short = {key: text[:2_000] for key, text in sent.items() if key not in ("lang", "locale")}
                    answer = client.get(address, query_string={key: text[:100] for key, text in short.items()})
                else:
                    answer = client.post(address, data={**sent, "csrf_token": token[1]}, headers={"Origin": "http://localhost"})
                if answer.status_code >= 500:
                    wrong.append((method, address[:80], answer.status_code))
            except Exception as error:
                wrong.append((method, address[:80], type(error).__name__, str(error)[:120]))
    assert not wrong, "\n".join(map(str, wrong))
