"""The CAS protocol, version 3: where to send the person, what a ticket is worth, who signed out."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from rse_core.api import Identity

from .cas_config import CasConfig
from .handoff import NonceStore
from .outgoing import Outgoing
from .reasons import Reason, SsoRefused
from .text import MAX_ATTRIBUTE, MAX_EMAIL, MAX_NAME, MAX_SUBJECT, first_control

CAS = "{http://www.yale.edu/tp/cas}"
SAMLP = "{urn:oasis:names:tc:SAML:2.0:protocol}"
STATE = "attempt"
"""The parameter of the service's address that names the attempt, so that an answer belongs to the browser that asked."""

MAX_LOGOUT = 20_000
_TICKET = re.compile(r"ST-[A-Za-z0-9._~-]{8,500}", re.ASCII)


class CasServer:
    """Sign-in at one CAS server.

    :param store: remembers which tickets have served.
    :param clock: seconds since 1970.
    """

    def __init__(
        self, config: CasConfig, store: NonceStore, outgoing: Outgoing | None = None, *,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.config = config
        self.outgoing = outgoing or Outgoing(config.limits)
        self._store = store
        self._clock = clock

    def service(self, state: str) -> str:
        """RSE's address for one attempt; the same, to the letter, when the ticket is validated."""
        return f"{self.config.service_url}?{urlencode({STATE: state})}"

    def login_url(self, state: str) -> str:
        """Where the person signs in."""
        query = {"service": self.service(state)}
        if self.config.renew:
            query["renew"] = "true"
        if self.config.gateway:
            query["gateway"] = "true"
        return f"{self.config.server_url}/login?{urlencode(query)}"

    def logout_url(self) -> str | None:
        """Where the person signs out there too."""
        if not self.config.end_session:
            return None
        back = self.config.service_url.removesuffix("cas/callback")
        return f"{self.config.server_url}/logout?{urlencode({'service': back})}"

    def accept(self, ticket: str, state: str) -> Identity:
        """Who brought this ticket. It is used up, whatever becomes of it.

        :raises SsoRefused: with the reason.
        """
        if _TICKET.fullmatch(ticket) is None:
            # A proxy's ticket (PT-…) speaks for another application; it is none of ours.
            raise SsoRefused(Reason.CAS_TICKET, "not in the form of a service ticket")
        now = self._clock()
        try:
            first = self._store.consume(self.config.issuer, f"cas:{ticket}", expires_at=now + 24 * 3600, now=now)
        except Exception:
            raise SsoRefused(Reason.NONCE_STORE) from None
        if not first:
            raise SsoRefused(Reason.CAS_REPLAYED)
        query = {"service": self.service(state), "ticket": ticket}
        if self.config.renew:
            query["renew"] = "true"
        answer = self.outgoing.get(f"{self.config.server_url}/p3/serviceValidate", params=query)
        if answer.status != 200:
            raise SsoRefused(Reason.PROVIDER_DOWN if answer.status >= 500 else Reason.CAS_ANSWER, f"status {answer.status}")
        return self._identity(*parse_validation(answer.body))

    def _identity(self, user: str, told: dict[str, str]) -> Identity:
        config = self.config
        username = user if config.identifier is None else told.get(config.identifier, "")
        if not _fit(username, MAX_SUBJECT, identifier=True):
            raise SsoRefused(Reason.CAS_CLAIM, f"no usable {config.identifier or 'user'}")
        if not _fit(user, MAX_SUBJECT, identifier=True):
            raise SsoRefused(Reason.CAS_CLAIM, "no usable user")
        attributes = {key: told[name] for key, name in config.attributes.items() if name in told}
        return Identity(
            issuer=config.issuer,
            subject=user,
            username=username,
            display_name=_optional(told, config.name, MAX_NAME),
            email=_optional(told, config.email, MAX_EMAIL),
            attributes={key: value for key, value in attributes.items() if _fit(value, MAX_ATTRIBUTE)},
        )


def session_index(ticket: str) -> str:
    """What the session is called after its ticket, which is kept nowhere in the clear."""
    return hashlib.sha256(f"cas:{ticket}".encode()).hexdigest()


def parse_validation(body: bytes) -> tuple[str, dict[str, str]]:
    """The user and the attributes of a ``serviceResponse``; of several values of an attribute, the first.

    :raises SsoRefused: when the server says no, or anything else than one clear yes.
    """
    root = _parse(body, Reason.CAS_ANSWER)
    if root.tag != f"{CAS}serviceResponse":
        raise SsoRefused(Reason.CAS_ANSWER, "no serviceResponse")
    children = list(root)
    if len(children) != 1:
        raise SsoRefused(Reason.CAS_ANSWER, "not one answer")
    (child,) = children
    if child.tag == f"{CAS}authenticationFailure":
        code = str(child.get("code"))[:40]
        raise SsoRefused(Reason.CAS_SERVICE if "SERVICE" in code else Reason.CAS_TICKET, f"the server says {code!r}")
    users = child.findall(f"{CAS}user")
    if child.tag != f"{CAS}authenticationSuccess" or len(users) != 1 or len(users[0]):
        raise SsoRefused(Reason.CAS_ANSWER, "no clear success")
    told: dict[str, str] = {}
    for group in child.findall(f"{CAS}attributes"):
        for each in group:
            if isinstance(each.tag, str) and each.tag.startswith(CAS) and not len(each):
                told.setdefault(each.tag.removeprefix(CAS), (each.text or "").strip())
    return (users[0].text or "").strip(), told


def parse_logout(text: str) -> str:
    """The ticket whose session is over.

    :raises SsoRefused: ``cas_logout`` when it is no such message.
    """
    if not text or len(text) > MAX_LOGOUT:
        raise SsoRefused(Reason.CAS_LOGOUT)
    root = _parse(text.encode("utf-8", "replace"), Reason.CAS_LOGOUT)
    found = root.findall(f"{SAMLP}SessionIndex")
    if root.tag != f"{SAMLP}LogoutRequest" or len(found) != 1:
        raise SsoRefused(Reason.CAS_LOGOUT)
    ticket = (found[0].text or "").strip()
    if _TICKET.fullmatch(ticket) is None:
        raise SsoRefused(Reason.CAS_LOGOUT)
    return ticket


def _parse(body: bytes, reason: Reason) -> Any:
    try:
        return fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise SsoRefused(reason, f"not safe XML: {type(error).__name__}") from None


def _fit(value: str, most: int, *, identifier: bool = False) -> bool:
    return 0 < len(value) <= most and first_control(value, identifier=identifier) is None


def _optional(told: dict[str, str], name: str | None, most: int) -> str | None:
    value = told.get(name, "") if name else ""
    return value if _fit(value, most) else None
