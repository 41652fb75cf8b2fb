"""Signing out, in both directions."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from oidc_on_loopback import Provider
from oidc_walk import Site, sign_in, who


def leave(client: FlaskClient) -> Any:
    token = client.get("/rse/embed/slots?address=/actualites/42&slots=comments").headers["X-RSE-CSRF"]
    return client.post("/rse/sign-out", headers={"X-RSE-CSRF": token, "X-RSE-Embed": "1"})


def test_signing_out_reaches_the_provider_with_the_token_as_a_hint(site: Site, provider: Provider) -> None:
    _, client = site()
    sign_in(client, provider)
    answer = leave(client)
    parts = urlsplit(answer.headers["Location"])
    query = parse_qs(parts.query)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{provider.issuer}/logout"
    assert query["post_logout_redirect_uri"] == ["http://localhost/rse/"]
    assert query["id_token_hint"][0].count(".") == 2
    assert who(client) == "nobody"
    assert client.get_cookie("rse_oidc_hint", path="/rse/sign-out") is None


def post_logout(client: FlaskClient, token: str) -> int:
    server = client.application.test_client()
    return server.post("/rse/oidc/backchannel-logout", data={"logout_token": token}).status_code


@pytest.mark.parametrize("missing", [{}, {"sub": None}, {"sid": None}])
def test_signing_out_at_the_provider_ends_the_session_here(site: Site, provider: Provider, missing: dict[str, Any]) -> None:
    _, client = site()
    sign_in(client, provider)
    assert post_logout(client, provider.logout_token(**missing)) == 200
    assert who(client) == "nobody"


@pytest.mark.parametrize(
    "changes",
    [
        {"events": None}, {"events": {}}, {"events": {"http://schemas.openid.net/event/backchannel-logout": None}},
        {"nonce": "x"}, {"sub": None, "sid": None}, {"jti": None}, {"aud": "payroll"}, {"iss": "https://other.test"},
        {"iat": 1_700_000_000, "exp": 4_000_000_000}, {"exp": 1_700_000_000}, {"sid": 3}, {"sub": "x" * 400}, {"iat": None},
    ],
)  # fmt: skip
def test_a_logout_token_that_is_not_right_ends_nothing(site: Site, provider: Provider, changes: dict[str, Any]) -> None:
    _, client = site()
    sign_in(client, provider)
    assert post_logout(client, provider.logout_token(**changes)) == 400
    assert who(client) == "hdupont"


def test_a_logout_token_serves_once_and_an_id_token_is_none(site: Site, provider: Provider) -> None:
    _, client = site()
    token = provider.logout_token()
    assert post_logout(client, token) == 200
    sign_in(client, provider)
    assert post_logout(client, token) == 400
    assert post_logout(client, provider.id_token("n")) == 400
    assert post_logout(client, "rubbish") == 400
    provider.sign = provider.unsigned
    assert post_logout(client, provider.logout_token()) == 400
    assert who(client) == "hdupont"


def test_another_session_of_the_same_person_stands(site: Site, provider: Provider) -> None:
    _, client = site()
    sign_in(client, provider)
    other = client.application.test_client()
    provider.sid = "sid-2"
    sign_in(other, provider)
    assert post_logout(client, provider.logout_token(sid="sid-1")) == 200
    assert (who(client), who(other)) == ("nobody", "hdupont")
