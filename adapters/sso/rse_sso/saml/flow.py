"""Sign-in at one identity provider, from the question to the person; and sign-out, both ways."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rse_core.api import Identity

from ..handoff import NonceStore
from ..outgoing import Outgoing
from ..reasons import Reason, SsoRefused
from ..text import MAX_ATTRIBUTE, MAX_EMAIL, MAX_NAME, MAX_SUBJECT, first_control
from .authn import NODE, authn_request, new_id
from .bindings import REQUEST, RESPONSE, Form, in_envelope, packed, redirect_to
from .config import SamlConfig
from .crypto import Xmlsec, signed
from .indexes import session_name
from .logout import RESPONSE_NODE, LogoutReader, Message, SignedOut, logout_request, logout_response
from .provider import POST, REDIRECT, Provider
from .response import Answer, NameId, Verified, Verifier, is_transient

MAX_INDEX = 255


@dataclass(frozen=True)
class Begun:
    """An attempt: where to send the person, by an address or a form, and what it is called."""

    identifier: str
    way: str | Form


@dataclass(frozen=True)
class SignedIn:
    """Somebody whom the provider vouches for, and what their sign-out needs.

    :param until: seconds since 1970 at which their session is over, ``None`` when the provider does not say.
    """

    identity: Identity
    name_id: NameId
    index: str
    sid: str
    until: float | None


class SamlFlow:
    """Sign-in at one provider.

    :param store: remembers which assertions and sign-out messages have served.
    :param clock: seconds since 1970.
    """

    def __init__(
        self, config: SamlConfig, store: NonceStore, outgoing: Outgoing | None = None, *,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.config = config
        self.backend = Xmlsec(config.xmlsec1)
        self.provider = Provider(config, self.backend, outgoing, clock=clock)
        self.logouts = LogoutReader(config, self.provider, self.backend, clock=clock)
        self._verifier = Verifier(config, self.provider, self.backend, clock=clock)
        self._store = store
        self._clock = clock

    def begin(self) -> Begun:
        """Start an attempt. The request's name is the attempt's: the answer must repeat it.

        :raises SsoRefused: when it is not known where the provider's sign-in is.
        """
        offered = self.provider.metadata().sign_in
        post = self.config.request_binding == "post" or REDIRECT not in offered
        service = offered.get(POST if post else REDIRECT)
        if service is None:
            raise SsoRefused(Reason.SAML_METADATA, f"no sign-in by {self.config.request_binding}")
        identifier = new_id()
        request = authn_request(self.config, identifier, service.location, self._clock())
        if post:
            text = signed(self.backend, request, NODE, self.config.keys)
            return Begun(identifier, Form(service.location, REQUEST, packed(text)))
        return Begun(identifier, redirect_to(service.location, REQUEST, str(request), None, self.config.keys))

    def finish(self, answer: Answer, attempt: str | None) -> SignedIn:
        """What an answer is worth. The assertion is used up, whatever becomes of the person.

        :param attempt: the request that this browser sent, ``None`` for an answer that nobody asked for.
        :raises SsoRefused: with the reason.
        """
        found = self._verifier.verify(answer)
        if found.in_response_to != attempt:
            raise SsoRefused(Reason.SAML_RESPONSE_TO, "the assertion answers another request")
        if attempt is None and not self.config.allow_unsolicited:
            raise SsoRefused(Reason.SAML_UNSOLICITED)
        self.use_up(f"assertion:{found.identifier}", found.until)
        if attempt is not None:
            self.use_up(f"request:{attempt}", self._clock() + 3600)
        identity, name_id = _identity(self.config, found)
        index = found.session_index if len(found.session_index) <= MAX_INDEX else ""
        sid = session_name(self.config.issuer, name_id, index)
        return SignedIn(identity, name_id, index, sid, found.session_until)

    def signed_out(self, message: Message) -> SignedOut:
        """Whom the provider signs out. The message is used up.

        :raises SsoRefused: also for one that came before.
        """
        found = self.logouts.request(message)
        self.use_up(f"logout:{found.identifier}", found.until)
        return found

    def sign_out(self, name_id: NameId, index: str) -> str | None:
        """The address where the person signs out of the provider too; ``None`` when it offers none."""
        if not self.config.end_session:
            return None
        try:
            service = self.provider.metadata().sign_out.get(REDIRECT)
        except SsoRefused:
            return None
        if service is None:
            return None
        request = logout_request(self.config, service.location, name_id, index, self._clock())
        return redirect_to(service.location, REQUEST, str(request), None, self.config.keys)

    def answer_sign_out(self, request: str, relay_state: str | None) -> str | Form:
        """The way by which the person's browser takes RSE's answer back.

        :raises SsoRefused: when the provider's metadata names no address for it.
        """
        offered = self.provider.metadata().sign_out
        if REDIRECT in offered:
            address = offered[REDIRECT].answers
            text = str(logout_response(self.config, address, request, self._clock()))
            return redirect_to(address, RESPONSE, text, relay_state, self.config.keys)
        if POST not in offered:
            raise SsoRefused(Reason.SAML_METADATA, "no sign-out by redirect or form")
        address = offered[POST].answers
        made = logout_response(self.config, address, request, self._clock())
        return Form(address, RESPONSE, packed(signed(self.backend, made, RESPONSE_NODE, self.config.keys)), relay_state)

    def answer_soap(self, request: str) -> str:
        """RSE's answer to a server."""
        made = logout_response(self.config, None, request, self._clock())
        return in_envelope(signed(self.backend, made, RESPONSE_NODE, self.config.keys))

    def use_up(self, what: str, until: float) -> None:
        """Note that something has served.

        :raises SsoRefused: ``saml_replayed`` when it had, ``nonce_store`` when that cannot be known.
        """
        now = self._clock()
        # Something without an end of its own is remembered for a year.
        ends = min(until, now + 366 * 24 * 3600)
        try:
            first = self._store.consume(self.config.issuer, f"saml:{what}", expires_at=ends, now=now)
        except Exception:
            raise SsoRefused(Reason.NONCE_STORE) from None
        if not first:
            raise SsoRefused(Reason.SAML_REPLAYED)


def _identity(config: SamlConfig, found: Verified) -> tuple[Identity, NameId]:
    name_id = found.name_id
    if config.subject is not None:
        subject = _one(found.attributes, config.subject)
    elif name_id is None or is_transient(name_id):
        what = "no NameID" if name_id is None else "the NameID is another at each sign-in"
        raise SsoRefused(Reason.SAML_SUBJECT, f"{what}, and subject names no attribute")
    else:
        subject = name_id.value
    if not _fit(subject, MAX_SUBJECT, identifier=True):
        raise SsoRefused(Reason.SAML_SUBJECT, "no usable identifier")
    username = subject
    if config.identifier is not None:
        username = _one(found.attributes, config.identifier)
        if not _fit(username, MAX_SUBJECT, identifier=True):
            raise SsoRefused(Reason.SAML_CLAIM, f"no usable {config.identifier}")
    attributes = {key: _first(found.attributes, name, MAX_ATTRIBUTE) for key, name in config.attributes.items()}
    identity = Identity(
        issuer=config.issuer,
        subject=subject,
        username=username,
        display_name=_first(found.attributes, config.name, MAX_NAME),
        email=_first(found.attributes, config.email, MAX_EMAIL),
        attributes={key: value for key, value in attributes.items() if value is not None},
    )
    return identity, name_id or NameId(subject)


def _one(attributes: Mapping[str, tuple[str, ...]], name: str) -> str:
    """The only value of what identifies: of two, neither can be chosen."""
    values = attributes.get(name, ())
    if len(set(values)) != 1:
        raise SsoRefused(Reason.SAML_CLAIM, f"{len(values)} values of {name}")
    return values[0]


def _first(attributes: Mapping[str, tuple[str, ...]], name: str | None, most: int) -> str | None:
    values = attributes.get(name, ()) if name else ()
    return next((value for value in values if _fit(value, most)), None)


def _fit(value: str, most: int, *, identifier: bool = False) -> bool:
    return 0 < len(value) <= most and first_control(value, identifier=identifier) is None

