"""The identity provider as its metadata describes it: kept for a while, read again in time, also when it changes keys."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509

from ..outgoing import Answer, Outgoing, may_be_asked
from ..reasons import Reason, SsoRefused
from .config import ALGORITHMS, SamlConfig
from .keys import certificate_of, load_certificate
from .signature import is_signed, node_name
from .xml import DS, MD, Element, moment, parse_any

if TYPE_CHECKING:
    from .crypto import Xmlsec

logger = logging.getLogger(__name__)

FRESH = 3600
"""Seconds that fetched metadata is used before it is fetched again."""

STALE = 24 * 3600
"""Seconds that it may still serve while its address does not answer."""

APART = 30
"""Seconds between two readings because a signature is of no known key: anybody may send such a thing."""

REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
SOAP_BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"
_PLAIN = re.compile(r"[A-Za-z0-9.:\[\]_-]+", re.ASCII)
"""A host that can stand in a policy as it is."""

_PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"


@dataclass(frozen=True)
class Service:
    """An address of the provider for one binding; ``answers`` is where its questions are answered."""

    location: str
    answers: str


@dataclass(frozen=True)
class Metadata:
    """What RSE uses of the metadata. ``until``: seconds since 1970 after which nothing of it holds."""

    sign_in: dict[str, Service]
    sign_out: dict[str, Service]
    certificates: tuple[x509.Certificate, ...]
    until: float | None

    @property
    def origins(self) -> tuple[str, ...]:
        """Where browsers are sent, as ``form-action`` names it."""
        services = [*self.sign_in.values(), *self.sign_out.values()]
        parts = [urlsplit(url) for each in services for url in (each.location, each.answers)]
        return tuple(dict.fromkeys(f"{each.scheme}://{each.netloc}" for each in parts))


class Provider:
    """One provider, shared by the threads of this server.

    :param clock: seconds since 1970.
    """

    def __init__(
        self, config: SamlConfig, backend: Xmlsec, outgoing: Outgoing | None = None, *,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.config = config
        self.outgoing = outgoing or Outgoing(config.limits)
        self._backend = backend
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[float, Metadata] | None = None
        self._stamp: tuple[int, int] | None = None
        self._refused: SsoRefused | None = None
        self._asked_again = float("-inf")

    def metadata(self) -> Metadata:
        """The metadata in force.

        :raises SsoRefused: when it cannot be had, is another provider's, or has run out.
        """
        with self._lock:
            found = self._fresh()
        if found.until is not None and self._clock() > found.until + self.config.clock_skew:
            raise SsoRefused(Reason.SAML_METADATA, "its validUntil has passed")
        return found

    def believes(self, holds: Callable[[tuple[x509.Certificate, ...]], bool]) -> bool:
        """Whether one of the provider's keys made a signature, also one that it took up since its metadata was read.

        :param holds: verifies the signature by these certificates.
        """
        tried = self.metadata().certificates
        if holds(tried):
            return True
        self.again()
        # Another request may have read the new keys in between.
        found = self.metadata().certificates
        return found != tried and holds(found)

    def again(self) -> bool:
        """Read once more, for a signature of no known key; whether anything new came of it."""
        with self._lock:
            now = self._clock()
            if now - self._asked_again < APART:
                return False
            self._asked_again = now
            before, self._stamp = self._known, None
            self._known = None
            try:
                found = self._fresh()
            except SsoRefused:
                self._known = before
                return False
            return before is None or found.certificates != before[1].certificates

    @property
    def origins(self) -> tuple[str, ...]:
        """What is known of its addresses without asking anybody."""
        if self.config.metadata_file is not None:
            try:
                return self.metadata().origins
            except SsoRefused:
                return ()
        if self._known is not None:
            return self._known[1].origins
        parts = urlsplit(self.config.metadata_url or "")
        return (f"{parts.scheme}://{parts.netloc}",)

    def fetch(self) -> Answer | None:
        """The address's answer, for an administrator; ``None`` where a file is read."""
        return None if self.config.metadata_url is None else self.outgoing.get(self.config.metadata_url)

    def _fresh(self) -> Metadata:
        now = self._clock()
        if self.config.metadata_file is not None:
            return self._from_file(now, self.config.metadata_file)
        if self._known is not None and now - self._known[0] < FRESH:
            return self._known[1]
        try:
            answer = self.outgoing.get(self.config.metadata_url or "")
            if answer.status != 200:
                raise SsoRefused(Reason.PROVIDER_ANSWER, f"the metadata: status {answer.status}")
            self._known = (now, self._read(answer.body))
        except SsoRefused as refusal:
            if self._known is None or now - self._known[0] > STALE:
                raise
            logger.warning("The provider's metadata could not be renewed, the known one serves on: %s", refusal)
        return self._known[1]

    def _from_file(self, now: float, name: str) -> Metadata:
        try:
            stat = Path(name).stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if self._stamp == stamp and self._refused is not None:
                # Every page asks for the origins: a file that cannot serve is not read for each.
                raise self._refused
            if self._stamp == stamp and self._known is not None:
                return self._known[1]
            self._stamp, self._refused = stamp, None
            found = self._read(Path(name).read_bytes())
        except OSError:
            raise SsoRefused(Reason.SAML_METADATA, "the file cannot be read") from None
        except SsoRefused as refusal:
            self._refused = refusal
            raise
        self._known = (now, found)
        return found

    def _read(self, raw: bytes) -> Metadata:
        try:
            root = parse_any(raw)
        except SsoRefused as refusal:
            raise SsoRefused(Reason.SAML_METADATA, refusal.detail) from None
        if self.config.metadata_certificate is not None:
            self._signed(root, raw, self.config.metadata_certificate)
        return read_metadata(root, self.config.issuer)

    def _signed(self, root: Element, raw: bytes, certificate: str) -> None:
        from .crypto import verifies

        try:
            there = is_signed(root, tuple(ALGORITHMS.values()))
            keys = [load_certificate(certificate)]
        except (SsoRefused, OSError, ValueError):
            raise SsoRefused(Reason.SAML_METADATA, "its signature is of another form") from None
        if not there or not verifies(self._backend, raw, node_name(root), str(root.get("ID")), keys):
            raise SsoRefused(Reason.SAML_METADATA, "it is not signed by the key of metadata_certificate_file")


def read_metadata(root: Element, issuer: str) -> Metadata:
    """The identity provider ``issuer`` in a document of one or of many.

    :raises SsoRefused: ``saml_metadata``.
    """
    entities = [each for each in root.iter(f"{MD}EntityDescriptor") if each.get("entityID") == issuer]
    if len(entities) != 1:
        said = "" if root.get("entityID") is None else f", it describes {str(root.get('entityID'))!r:.120}"
        raise SsoRefused(Reason.SAML_METADATA, f"it describes {issuer!r:.120} {len(entities)} times{said}")
    (entity,) = entities
    roles = [
        each
        for each in entity.findall(f"{MD}IDPSSODescriptor")
        if _PROTOCOL in (each.get("protocolSupportEnumeration") or "").split()
    ]
    if len(roles) != 1:
        raise SsoRefused(Reason.SAML_METADATA, "it describes no identity provider of SAML 2")
    (role,) = roles
    certificates = _certificates(role)
    sign_in = _services(role, "SingleSignOnService")
    if not certificates or not sign_in:
        what = "certificate to verify signatures by" if not certificates else "https address to sign in at"
        raise SsoRefused(Reason.SAML_METADATA, f"it holds no {what}")
    ends = [moment(each.get("validUntil")) for each in (root, entity, role)]
    known = [each for each in ends if each is not None]
    return Metadata(sign_in, _services(role, "SingleLogoutService"), certificates, min(known, default=None))


def _certificates(role: Element) -> tuple[x509.Certificate, ...]:
    found: list[x509.Certificate] = []
    for key in role.findall(f"{MD}KeyDescriptor"):
        if key.get("use", "signing") != "signing":
            continue
        for each in key.iter(f"{DS}X509Certificate"):
            try:
                made = certificate_of(each.text or "")
            except ValueError as error:
                logger.warning("A certificate of the provider's metadata is left out: %s", error)
                continue
            if made not in found:
                found.append(made)
    return tuple(found[:10])


def _services(role: Element, name: str) -> dict[str, Service]:
    found: dict[str, Service] = {}
    for each in role.findall(f"{MD}{name}"):
        location = each.get("Location") or ""
        answers = each.get("ResponseLocation") or location
        if all(may_be_asked(url) and _PLAIN.fullmatch(urlsplit(url).netloc) for url in (location, answers)):
            found.setdefault(each.get("Binding") or "", Service(location, answers))
    return found
