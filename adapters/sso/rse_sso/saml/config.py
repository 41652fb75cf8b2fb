"""The table ``[sso.saml]``; read without pysaml2, whose absence is then one sentence."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rse_core.api import ConfigError

from ..config import _flag, _issuer, _known, _number, _table, _text, _texts, _wrong
from ..oidc_config import own_address, read_limits
from ..outgoing import Limits, may_be_asked

KEYS = (
    "issuer", "acs_url", "entity_id", "metadata_file", "metadata_url", "metadata_certificate_file", "private_key_file",
    "certificate_file", "previous_key_file", "previous_certificate_file", "request_binding", "sign_metadata", "signed",
    "require_encryption", "algorithms", "allow_unsolicited", "force_authn", "name_id_format", "subject", "identifier",
    "name", "email", "attributes", "clock_skew", "end_session", "timeout", "ca_file", "xmlsec1",
)  # fmt: skip

ALGORITHMS = {
    "rsa-sha256": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "rsa-sha384": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "rsa-sha512": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "ecdsa-sha256": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "ecdsa-sha384": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    "ecdsa-sha512": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
}
"""Signatures that may be accepted, by the name that an administrator writes. SHA-1 is none of them."""

NAME_IDS = {
    "persistent": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "transient": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
    "email": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    "unspecified": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
}
BINDINGS = ("redirect", "post")
SIGNED = ("assertion", "either", "both")


@dataclass(frozen=True)
class KeyPair:
    """Files of RSE's private key and certificate, both PEM."""

    key: str
    certificate: str


@dataclass(frozen=True)
class SamlConfig:
    """What is known of the identity provider and of ourselves there.

    :param issuer: the provider's entityID, to the letter; half of the key of every person.
    :param subject: the attribute that is the stable identifier, ``None``: the NameID.
    :param identifier: the attribute that names the imported person at a first visit, ``None``: the stable identifier.
    :param signed: what the provider must sign: the ``assertion``, ``either`` assertion or answer, ``both``.
    :param previous: the pair in use before, published and good for decryption while providers change over.
    """

    issuer: str
    acs_url: str
    entity_id: str
    keys: KeyPair
    previous: KeyPair | None = None
    metadata_file: str | None = None
    metadata_url: str | None = None
    metadata_certificate: str | None = None
    request_binding: str = "redirect"
    sign_metadata: bool = False
    signed: str = "assertion"
    require_encryption: bool = False
    algorithms: tuple[str, ...] = tuple(ALGORITHMS)
    allow_unsolicited: bool = False
    force_authn: bool = False
    name_id_format: str = "persistent"
    subject: str | None = None
    identifier: str | None = None
    name: str | None = None
    email: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    clock_skew: int = 60
    end_session: bool = True
    limits: Limits = field(default_factory=Limits)
    xmlsec1: str = "xmlsec1"

    @property
    def root(self) -> str:
        """RSE's own address, without a slash at its end."""
        return self.acs_url.removesuffix("/saml/acs")

    @property
    def logout_url(self) -> str:
        """Where the provider sends its word that somebody signed out."""
        return f"{self.root}/saml/logout"

    @property
    def soap_url(self) -> str:
        """The same, server to server."""
        return f"{self.root}/saml/logout/soap"


def parse_saml(table: Mapping[str, Any]) -> SamlConfig:
    """Read the table.

    :raises ConfigError: one sentence that names the key, or the missing part, and the remedy.
    """
    where = "sso.saml"
    xmlsec1 = _parts(table)
    _known(table, KEYS, where)
    acs_url = own_address(table, "acs_url", where, "/rse/saml/acs")
    root = acs_url.removesuffix("/saml/acs")
    keys = _pair(table, "private_key_file", "certificate_file")
    if keys is None:
        raise _wrong(f"{where}.private_key_file", "is missing", "Make a pair with openssl; docs/signin.md has the command.")
    from .keys import check_pair

    previous = _pair(table, "previous_key_file", "previous_certificate_file")
    for name, pair in (("private_key_file", keys), ("previous_key_file", previous)):
        problem = check_pair(pair) if pair else None
        if problem:
            raise _wrong(f"{where}.{name}", problem, "Use an RSA key of 2048 bits or more with its own certificate.")
    metadata_file, metadata_url = _metadata(table)
    return SamlConfig(
        issuer=_issuer(table, where, None),
        acs_url=acs_url,
        entity_id=_text(table, "entity_id", where, None) or f"{root}/saml/metadata",
        keys=keys,
        previous=previous,
        metadata_file=metadata_file,
        metadata_url=metadata_url,
        metadata_certificate=_path(table, "metadata_certificate_file"),
        request_binding=_choice(table, "request_binding", BINDINGS, "redirect"),
        sign_metadata=_flag(table, "sign_metadata", where),
        signed=_choice(table, "signed", SIGNED, "assertion"),
        require_encryption=_flag(table, "require_encryption", where),
        algorithms=_algorithms(table),
        allow_unsolicited=_flag(table, "allow_unsolicited", where),
        force_authn=_flag(table, "force_authn", where),
        name_id_format=_choice(table, "name_id_format", tuple(NAME_IDS), "persistent"),
        subject=_text(table, "subject", where, None),
        identifier=_text(table, "identifier", where, None),
        name=_text(table, "name", where, None),
        email=_text(table, "email", where, None),
        attributes={str(key): str(value) for key, value in _table(table, "attributes", where).items()},
        clock_skew=_number(table, "clock_skew", where, 60, low=0, high=300),
        end_session=_flag(table, "end_session", where) if "end_session" in table else True,
        limits=read_limits(table, where),
        xmlsec1=xmlsec1,
    )


def _parts(table: Mapping[str, Any]) -> str:
    """Where ``xmlsec1`` is, once pysaml2 is known to be there."""
    if importlib.util.find_spec("saml2") is None:
        raise ConfigError(
            "The setting sso.sources names saml, but pysaml2 is not installed.",
            remedy="Run pip install 'rse-sso[saml]', or take saml out of sources.", plugin="sso",
        )  # fmt: skip
    wanted = _text(table, "xmlsec1", "sso.saml", None)
    found = shutil.which(wanted or "xmlsec1")
    if found is None:
        raise ConfigError(
            "The setting sso.sources names saml, but the program xmlsec1 is not there.",
            remedy="Install Debian's package xmlsec1, or name the program in xmlsec1 under [sso.saml].", plugin="sso",
        )  # fmt: skip
    return found


def _metadata(table: Mapping[str, Any]) -> tuple[str | None, str | None]:
    where = "sso.saml"
    file, url = _path(table, "metadata_file"), _text(table, "metadata_url", where, None)
    if (file is None) == (url is None):
        what = "is set beside metadata_url" if file else "is missing, and so is metadata_url"
        raise _wrong(f"{where}.metadata_file", what, "Give the provider's metadata by one of the two.")
    if url is not None and not may_be_asked(url):
        raise _wrong(f"{where}.metadata_url", "is no https address", "Use https, or fetch the file yourself.")
    return file, url


def _pair(table: Mapping[str, Any], key: str, certificate: str) -> KeyPair | None:
    found = _path(table, key), _path(table, certificate)
    if found == (None, None):
        return None
    for name, value in zip((key, certificate), found, strict=True):
        if value is None:
            raise _wrong(f"sso.saml.{name}", "is missing", "Name both files of the pair.")
    return KeyPair(str(found[0]), str(found[1]))


def _path(table: Mapping[str, Any], key: str) -> str | None:
    name = _text(table, key, "sso.saml", None)
    if name is not None and not (Path(name).is_file() and os.access(name, os.R_OK)):
        raise _wrong(f"sso.saml.{key}", "names a file that cannot be read", "Check its path and who may read it.")
    return name


def _choice(table: Mapping[str, Any], key: str, known: tuple[str, ...], default: str) -> str:
    value = _text(table, key, "sso.saml", default) or default
    if value not in known:
        raise _wrong(f"sso.saml.{key}", f"is “{value}”", f"Write one of {', '.join(known)}.")
    return value


def _algorithms(table: Mapping[str, Any]) -> tuple[str, ...]:
    names = tuple(_texts(table, "algorithms", "sso.saml")) or tuple(ALGORITHMS)
    for name in names:
        if name not in ALGORITHMS:
            raise _wrong(
                "sso.saml.algorithms", f"holds “{name}”", f"Known: {', '.join(ALGORITHMS)}. SHA-1 is never accepted."
            )
    return names
