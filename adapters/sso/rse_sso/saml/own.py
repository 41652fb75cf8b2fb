"""RSE as it describes itself to identity providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from saml2 import md, xmldsig

from .config import NAME_IDS, SamlConfig
from .keys import body
from .provider import POST, REDIRECT, SOAP_BINDING

if TYPE_CHECKING:
    from .crypto import Xmlsec

NODE = "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor"
TYPE = "application/samlmetadata+xml"


def own_metadata(config: SamlConfig, backend: Xmlsec) -> str:
    """The document, signed where ``sign_metadata`` says so.

    The present key signs and decrypts; the previous one, where there is one, is published as well, so that providers
    which still encrypt to it are understood.
    """
    pairs = [config.keys, *([config.previous] if config.previous else [])]
    entity = md.EntityDescriptor(
        entity_id=config.entity_id,
        spsso_descriptor=[
            md.SPSSODescriptor(
                protocol_support_enumeration="urn:oasis:names:tc:SAML:2.0:protocol",
                authn_requests_signed="true",
                want_assertions_signed="false" if config.signed == "either" else "true",
                key_descriptor=[_key(pair.certificate, use) for pair in pairs for use in ("signing", "encryption")],
                single_logout_service=[
                    md.SingleLogoutService(binding=REDIRECT, location=config.logout_url),
                    md.SingleLogoutService(binding=POST, location=config.logout_url),
                    md.SingleLogoutService(binding=SOAP_BINDING, location=config.soap_url),
                ],
                name_id_format=[md.NameIDFormat(text=NAME_IDS[config.name_id_format])],
                assertion_consumer_service=[
                    md.AssertionConsumerService(binding=POST, location=config.acs_url, index="0", is_default="true")
                ],
            )
        ],
    )
    if not config.sign_metadata:
        return _declared(str(entity))
    from .authn import new_id
    from .crypto import signed

    entity.id = new_id()
    return _declared(signed(backend, entity, NODE, config.keys))


def _key(certificate: str, use: str) -> Any:
    held = xmldsig.X509Data(x509_certificate=xmldsig.X509Certificate(text=body(certificate)))
    return md.KeyDescriptor(use=use, key_info=xmldsig.KeyInfo(x509_data=[held]))


def _declared(text: str) -> str:
    return text if text.startswith("<?xml") else f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'
