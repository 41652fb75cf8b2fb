"""Sign-out messages, in both directions: what the provider says is believed only when it signed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from saml2 import saml, samlp

from ..reasons import Reason, SsoRefused
from .authn import new_id
from .bindings import REQUEST, RESPONSE, Query, from_envelope
from .config import ALGORITHMS, SamlConfig
from .crypto import Xmlsec, verifies, verifies_octets
from .encryption import name_element
from .provider import Provider
from .response import SUCCESS, NameId
from .signature import is_signed, node_name, only_in_place
from .xml import SAML, SAMLP, Element, local, moment, only, parse, text_of, write_moment

RESPONSE_NODE = "urn:oasis:names:tc:SAML:2.0:protocol:LogoutResponse"
MAX_AGE = 300
"""Seconds after its date that a request without an end of its own is believed."""

_PARTIAL = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"
_TAGS = {REQUEST: f"{SAMLP}LogoutRequest", RESPONSE: f"{SAMLP}LogoutResponse"}


@dataclass(frozen=True)
class Message:
    """One whose signature holds. ``raw``: the document that it came in, which may be an envelope, ``document``."""

    raw: bytes
    document: Element
    root: Element

    @property
    def id(self) -> str:
        """What its answer names it by."""
        return str(self.root.get("ID"))


@dataclass(frozen=True)
class SignedOut:
    """Somebody whom the provider signs out; without ``indexes``, of every session.

    :param until: seconds since 1970 after which the request would be refused, replay or not.
    """

    identifier: str
    name_id: NameId
    indexes: tuple[str, ...]
    until: float


class LogoutReader:
    """Reads what the provider sends to the sign-out's addresses.

    :param clock: seconds since 1970.
    """

    def __init__(self, config: SamlConfig, provider: Provider, backend: Xmlsec, *, clock: Callable[[], float]) -> None:
        self.config = config
        self._provider = provider
        self._backend = backend
        self._clock = clock
        self._algorithms = {ALGORITHMS[name]: name for name in config.algorithms}

    def from_query(self, query: Query) -> Message:
        """The message of a redirect, its signature verified.

        :raises SsoRefused: with the reason.
        """
        root = parse(query.message)
        if query.signed is None:
            raise SsoRefused(Reason.SAML_UNSIGNED, "a sign-out message")
        name = self._algorithms.get(query.algorithm)
        if name is None:
            raise SsoRefused(Reason.SAML_ALGORITHM, f"{query.algorithm!r:.80}")
        signed = query.signed
        self._believe(lambda keys: verifies_octets(signed, query.signature, name, keys), root)
        return Message(query.message, root, self._checked(root, query.field, self.config.logout_url))

    def from_form(self, raw: bytes, field: str) -> Message:
        """The message of a form, likewise."""
        root = parse(raw)
        self._enveloped(raw, root, root)
        return Message(raw, root, self._checked(root, field, self.config.logout_url))

    def from_soap(self, raw: bytes) -> Message:
        """The request of a server, likewise."""
        envelope, root = from_envelope(raw)
        self._enveloped(raw, envelope, root)
        return Message(raw, envelope, self._checked(root, REQUEST, self.config.soap_url))

    def request(self, message: Message) -> SignedOut:
        """Who is signed out.

        :raises SsoRefused: ``saml_expired``, ``saml_future`` or ``saml_logout``; for an encrypted name also what
            encryption is refused for.
        """
        root = message.root
        now, skew = self._clock(), self.config.clock_skew
        issued, ends = moment(root.get("IssueInstant")), moment(root.get("NotOnOrAfter"))
        if issued is None:
            raise SsoRefused(Reason.SAML_MALFORMED, "no date of issue")
        if issued > now + skew:
            raise SsoRefused(Reason.SAML_FUTURE, "a sign-out message")
        until = (issued + MAX_AGE if ends is None else ends) + skew
        if now >= until:
            raise SsoRefused(Reason.SAML_EXPIRED, "a sign-out message")
        name = name_element(self.config, self._backend, message.raw, message.document, root)
        value = text_of(name)
        if name is None or value is None:
            raise SsoRefused(Reason.SAML_LOGOUT, "it names nobody")
        named = NameId(value, name.get("Format") or "", name.get("NameQualifier") or "", name.get("SPNameQualifier") or "")
        indexes = tuple(filter(None, (text_of(each) for each in root.findall(f"{SAMLP}SessionIndex"))))
        return SignedOut(message.id, named, indexes, until)

    def succeeded(self, message: Message) -> bool:
        """Whether the provider says that it signed the person out."""
        codes = [each.get("Value") for each in message.root.iter(f"{SAMLP}StatusCode")]
        return bool(codes) and codes[0] in (SUCCESS, _PARTIAL)

    def _enveloped(self, raw: bytes, document: Element, root: Element) -> None:
        if not is_signed(root, self._algorithms):
            raise SsoRefused(Reason.SAML_UNSIGNED, "a sign-out message")
        only_in_place(document, [root])
        self._believe(lambda keys: verifies(self._backend, raw, node_name(root), str(root.get("ID")), keys), root)

    def _believe(self, holds: Callable[[Any], bool], root: Element) -> None:
        if not self._provider.believes(holds):
            raise SsoRefused(Reason.SAML_SIGNATURE, f"of the {local(root.tag)[:40]}")

    def _checked(self, root: Element, field: str, address: str) -> Element:
        if root.tag != _TAGS[field] or root.get("Version") != "2.0" or not root.get("ID"):
            raise SsoRefused(Reason.SAML_LOGOUT, f"a {local(root.tag)[:40]}")
        issuer = text_of(only(root, f"{SAML}Issuer"))
        if issuer != self.config.issuer:
            raise SsoRefused(Reason.SAML_ISSUER, f"it says {issuer!r:.120}")
        destination = root.get("Destination")
        # Between servers it may be left out; in a browser it keeps a message for another site from being taken here.
        if destination != address and not (destination is None and address == self.config.soap_url):
            raise SsoRefused(Reason.SAML_DESTINATION, f"it is meant for {destination!r:.200}")
        return root


def logout_request(config: SamlConfig, destination: str, name_id: NameId, index: str, now: float) -> Any:
    """RSE's own request, not signed yet."""
    return samlp.LogoutRequest(
        id=new_id(),
        version="2.0",
        issue_instant=write_moment(now),
        not_on_or_after=write_moment(now + MAX_AGE),
        destination=destination,
        issuer=saml.Issuer(text=config.entity_id),
        name_id=saml.NameID(
            text=name_id.value, format=name_id.format or None, name_qualifier=name_id.qualifier or None,
            sp_name_qualifier=name_id.sp_qualifier or None,
        ),
        session_index=[samlp.SessionIndex(text=index)] if index else [],
    )  # fmt: skip


def logout_response(config: SamlConfig, destination: str | None, in_response_to: str, now: float) -> Any:
    """RSE's word that it is done, not signed yet."""
    return samlp.LogoutResponse(
        id=new_id(),
        version="2.0",
        issue_instant=write_moment(now),
        destination=destination,
        in_response_to=in_response_to,
        issuer=saml.Issuer(text=config.entity_id),
        status=samlp.Status(status_code=samlp.StatusCode(value=SUCCESS)),
    )
