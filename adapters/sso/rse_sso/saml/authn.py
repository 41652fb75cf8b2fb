"""The question to the provider: who is this person?"""

from __future__ import annotations

import secrets
from typing import Any

from saml2 import saml, samlp

from .config import NAME_IDS, SamlConfig
from .provider import POST
from .xml import write_moment

NODE = "urn:oasis:names:tc:SAML:2.0:protocol:AuthnRequest"


def new_id() -> str:
    """An unguessable name for one message; an XML name may not begin with a digit."""
    return f"_{secrets.token_urlsafe(32)}"


def authn_request(config: SamlConfig, identifier: str, destination: str, now: float) -> Any:
    """The request, not signed yet."""
    policy = None
    if config.name_id_format != "unspecified":
        policy = samlp.NameIDPolicy(format=NAME_IDS[config.name_id_format], allow_create="true")
    return samlp.AuthnRequest(
        id=identifier,
        version="2.0",
        issue_instant=write_moment(now),
        destination=destination,
        assertion_consumer_service_url=config.acs_url,
        protocol_binding=POST,
        force_authn="true" if config.force_authn else None,
        issuer=saml.Issuer(text=config.entity_id),
        name_id_policy=policy,
    )
