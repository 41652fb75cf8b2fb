"""Signing in by SAML at an identity provider: what works, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from saml_on_loopback import DIGEST256, ENTITY, HELENE, SIGN_IN, TRANSIENT, Provider, make_pair
from saml_walk import EN, Site, edited, post, refused, sign_in, start, who
from sqlalchemy import func, select

import rse_sso.pages
from rse_core.api import Identity
from rse_core.models.organisation import Person, PersonIdentity


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> list[Identity]:
    seen: list[Identity] = []
    inner = rse_sso.pages.sign_in

    def keep(identity: Identity, **more: Any) -> Any:
        seen.append(identity)
        return inner(identity, **more)

    monkeypatch.setattr(rse_sso.pages, "sign_in", keep)
    return seen


def test_a_person_signs_in_and_is_back_on_the_page(site: Site, provider: Provider, named: list[Identity]) -> None:
    _, client = site()
    answer = sign_in(client, provider, "/actualites/42?page=2")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/actualites/42?page=2")
    assert answer.headers["Cache-Control"] == "no-store"
    assert who(client) == "hdupont"
    (identity,) = named
    assert (identity.subject, identity.username, identity.display_name) == ("f3b9c2", "hdupont", HELENE["cn"])
    assert (identity.email, identity.attributes) == (HELENE["mail"], {"entity": "CPAM du Finistère"})


def test_the_request_is_signed_and_asks_for_what_is_set(site: Site, provider: Provider) -> None:
    _, client = site(force_authn=True)
    request = provider.request(start(client))
    assert request.issuer.text == ENTITY
    assert (request.destination, request.force_authn) == (SIGN_IN, "true")
    assert request.name_id_policy.format.endswith(":persistent")


def test_the_request_can_travel_by_a_form(site: Site, provider: Provider) -> None:
    _, client = site(request_binding="post")
    page = client.get("/rse/saml/start?return_to=/x", headers=EN)
    assert page.status_code == 200
    assert f'action="{SIGN_IN}/post"' in page.text
    assert "form-action 'self' https://idp.test;" in page.headers["Content-Security-Policy"]
    request = provider.posted_request(page.text.partition('name="SAMLRequest" value="')[2].partition('"')[0])
    assert post(client, provider.answer(request)).headers["Location"] == "/x"
    assert who(client) == "hdupont"


def test_a_second_visit_is_the_same_person_and_no_second_one_is_made(site: Site, provider: Provider) -> None:
    core, client = site()
    sign_in(client, provider)
    again = client.application.test_client()
    # The user name there has changed: the pair (issuer, NameID) is what counts.
    sign_in(again, provider, person={**HELENE, "uid": "hmartin"})
    assert who(again) == "hdupont"
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 2
        assert session.scalar(select(func.count()).select_from(PersonIdentity)) == 1


def test_somebody_who_is_not_in_the_directory_is_told_so(site: Site, provider: Provider) -> None:
    core, client = site()
    answer = sign_in(client, provider, person={**HELENE, "uid": "nobody-knows"}, name_id="other")
    refused(client, answer, "does not know your account")
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 2


def test_the_name_id_alone_names_the_person_where_no_attribute_is_set(site: Site, provider: Provider) -> None:
    _, client = site(identifier=None)
    sign_in(client, provider, name_id="hdupont")
    assert who(client) == "hdupont"


@pytest.mark.parametrize("uid", [None, "", "a\u200bb"])
def test_without_the_identifier_nobody_signs_in(site: Site, provider: Provider, uid: str | None) -> None:
    _, client = site()
    person = {key: value for key, value in HELENE.items() if key != "uid"} | ({} if uid is None else {"uid": uid})
    refused(client, sign_in(client, provider, person=person, name_id="hdupont"), "not set up correctly", 500)


def test_two_identifiers_are_none(site: Site, provider: Provider) -> None:
    def twice(response: Any) -> None:
        (uid,) = (each for each in response.assertion.attribute_statement[0].attribute if each.name == "uid")
        uid.attribute_value.append(type(uid.attribute_value[0])(text="amartin"))

    _, client = site()
    refused(client, sign_in(client, provider, change=twice), "not set up correctly", 500)


def test_a_name_that_does_not_last_needs_an_attribute_that_does(
    site: Site, provider: Provider, named: list[Identity]
) -> None:
    _, client = site()
    refused(client, sign_in(client, provider, name_id="t1", name_format=TRANSIENT), "could not be verified")
    _, client = site(subject="mail", name_id_format="transient")
    for passing in ("t1", "t2"):
        sign_in(client, provider, name_id=passing, name_format=TRANSIENT)
        assert who(client) == "hdupont"
    assert [each.subject for each in named] == [HELENE["mail"]] * 2


def test_a_name_made_for_another_site_is_refused(site: Site, provider: Provider) -> None:
    _, client = site()

    def change(response: Any) -> None:
        response.assertion.subject.name_id.sp_name_qualifier = "https://other.test"

    refused(client, sign_in(client, provider, change=change), "could not be verified")


@pytest.mark.parametrize("back", ["https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)"])
def test_neither_the_way_back_nor_the_relay_state_leads_elsewhere(site: Site, provider: Provider, back: str) -> None:
    _, client = site()
    request = provider.request(start(client, back))
    assert post(client, provider.answer(request), RelayState=back).headers["Location"] == "/rse/"
    assert who(client) == "hdupont"


def test_two_tabs_sign_in_at_once(site: Site, provider: Provider) -> None:
    _, client = site()
    first, second = (provider.request(start(client, path)) for path in ("/a", "/b"))
    assert post(client, provider.answer(second)).headers["Location"] == "/b"
    assert post(client, provider.answer(first)).headers["Location"] == "/a"


def test_an_answer_that_is_signed_as_a_whole_serves_where_that_is_allowed(site: Site, provider: Provider) -> None:
    _, client = site(signed="either")
    assert sign_in(client, provider, sign_assertion=False, sign_response=True).status_code == 303
    _, client = site(signed="both")
    assert sign_in(client, provider, sign_assertion=True, sign_response=True).status_code == 303
    refused(client.application.test_client(), sign_in(client, provider, sign_response=False), "could not be verified")


def test_the_provider_may_change_its_key(site: Site, provider: Provider) -> None:
    _, client = site()
    assert sign_in(client, provider).status_code == 303
    key, certificate = make_pair(provider.folder, "idp-next")
    provider.write_metadata(certificate)
    assert sign_in(client, provider, key=key).status_code == 303
    other = client.application.test_client()
    refused(other, sign_in(other, provider), "could not be verified")


def test_an_elliptic_key_of_the_provider_serves(site: Site, provider: Provider) -> None:
    key, certificate = make_pair(provider.folder, "idp-ec", curve=True)
    provider.write_metadata(certificate)
    _, client = site()
    algorithm = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
    assert sign_in(client, provider, key=key, algorithm=algorithm, digest=DIGEST256).status_code == 303


def test_a_cancelled_sign_in_is_said_to_be_one(site: Site, provider: Provider) -> None:
    def no(code: str, inner: str) -> Callable[[Any], None]:
        def change(root: Any) -> None:
            for child in root.findall("{*}Assertion"):
                root.remove(child)
            status = root.find("{*}Status/{*}StatusCode")
            status.set("Value", f"urn:oasis:names:tc:SAML:2.0:status:{code}")
            status.append(status.makeelement(status.tag, {"Value": f"urn:oasis:names:tc:SAML:2.0:status:{inner}"}))

        return change

    _, client = site()
    refused(client, sign_in(client, provider, change_last=edited(no("Responder", "AuthnFailed"))), "was cancelled")
    wrong = edited(no("Requester", "InvalidNameIDPolicy"))
    refused(client, sign_in(client, provider, change_last=wrong), "not set up correctly", 500)
