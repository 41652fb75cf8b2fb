"""The trusted header: the intranet's web server says who is asking, and proves that it is the one saying so.

Three things must hold before a single identity header is looked at: the other end of the connection is a
configured proxy, it sent the proxy's secret, and the server under us does not confuse ``X_RSE_User`` with
``X-RSE-User``. Otherwise the headers are a client's own words: they are ignored, and the
log says so once per peer.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from .keys import matches_any
from .peers import UNKNOWN, Peers, peer_of
from .reasons import Reason, SsoRefused
from .text import (
    MAX_ATTRIBUTE,
    MAX_EMAIL,
    MAX_NAME,
    MAX_SUBJECT,
    Encoding,
    decode_header,
    first_control,
)

logger = logging.getLogger(__name__)

ANONYMOUS = ("-", "(null)")
"""What nginx (by our configuration) and Apache send for a visitor who is not signed in."""


@dataclass(frozen=True)
class HeaderRules:
    """Where the identity stands and who may put it there.

    :param issuer: who vouches, e.g. ``header:intranet``; half of a person's key: do not change it.
    :param user: the header with the stable identifier; with ``in_process``, a WSGI variable.
    :param name: like ``email`` and ``username``, read only when named: a header that the proxy does not set is the
        client's own.
    :param secrets: the proxy's secret; several while one is being replaced.
    :param in_process: the variable is set by the very server or application RSE runs in (``mod_wsgi``, a host
        application): there is no proxy, and a client cannot write it since it is no header.
    :param anonymous: values that mean nobody.
    """

    issuer: str = "header:intranet"
    user: str = "X-RSE-User"
    username: str | None = None
    name: str | None = None
    email: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    secret_header: str = "X-RSE-Proxy-Secret"  # noqa: S105  # the name of a header
    secrets: tuple[str, ...] = ()
    peers: Peers = field(default_factory=Peers)
    in_process: bool = False
    encoding: Encoding = "auto"
    anonymous: tuple[str, ...] = ANONYMOUS


@dataclass(frozen=True, slots=True)
class HeaderIdentity:
    """Who the proxy says is asking."""

    subject: str
    username: str | None
    name: str | None
    email: str | None
    attributes: Mapping[str, str]


def environ_key(header: str) -> str:
    """The WSGI variable of a header: ``X-RSE-User`` gives ``HTTP_X_RSE_USER``."""
    return "HTTP_" + header.upper().replace("-", "_")


def read_identity(environ: Mapping[str, Any], rules: HeaderRules) -> HeaderIdentity | None:
    """Who is asking according to the proxy; ``None`` for nobody.

    Call :func:`distrust` first: this reads the headers as the proxy's own.

    :raises SsoRefused: when the proxy's word cannot be taken: empty, a list, a control character, too long.
    """
    raw = _raw(environ, rules.user, rules)
    if raw is None or raw.strip() in rules.anonymous:
        return None
    subject = _identifier(environ, rules.user, rules, MAX_SUBJECT)
    if subject is None:
        raise SsoRefused(Reason.HEADER_EMPTY, rules.user)
    return HeaderIdentity(
        subject=subject,
        username=_identifier(environ, rules.username, rules, MAX_SUBJECT) if rules.username else None,
        name=_free_text(environ, rules.name, rules, MAX_NAME) if rules.name else None,
        email=_identifier(environ, rules.email, rules, MAX_EMAIL) if rules.email else None,
        attributes={
            attribute: text
            for attribute, header in rules.attributes.items()
            if (text := _free_text(environ, header, rules, MAX_ATTRIBUTE)) is not None
        },
    )


def distrust(environ: Mapping[str, Any], rules: HeaderRules) -> Reason | None:
    """Why the identity headers of this request are not the proxy's, or ``None`` when they are."""
    if rules.in_process:
        return None
    if not rules.peers.trusts(peer_of(environ)):
        return Reason.PEER_UNTRUSTED
    given = environ.get(environ_key(rules.secret_header))
    if not isinstance(given, str) or not given:
        return Reason.SECRET_MISSING
    # A client's own secret header beside the proxy's arrives as "a,b": equal to neither.
    if not matches_any(given, rules.secrets):
        return Reason.SECRET_WRONG
    if str(environ.get("SERVER_SOFTWARE", "")).startswith("WSGIServer/"):
        return Reason.SERVER_MERGES_HEADERS
    return None


def carries_identity(environ: Mapping[str, Any], rules: HeaderRules) -> bool:
    """Whether the request bears the identity header or the secret at all, believed or not."""
    names = (rules.user, rules.secret_header)
    return any(environ_key(name) in environ for name in names)


class OncePerPeer:
    """Remembers which (peer, reason) was logged, so that a scanner does not fill the log.

    Bounded: the oldest is forgotten, and would be logged anew.
    """

    def __init__(self, size: int = 1024) -> None:
        self._size = size
        self._seen: OrderedDict[tuple[str, Reason], None] = OrderedDict()
        self._lock = Lock()

    def first(self, peer: str, reason: Reason) -> bool:
        """True the first time this pair is shown."""
        with self._lock:
            if (peer, reason) in self._seen:
                return False
            self._seen[peer, reason] = None
            if len(self._seen) > self._size:
                self._seen.popitem(last=False)
            return True


class TrustedHeader:
    """The rules at work on requests, with their log."""

    def __init__(self, rules: HeaderRules) -> None:
        self.rules = rules
        self._once = OncePerPeer()

    def identify(self, environ: Mapping[str, Any]) -> HeaderIdentity | None:
        """Who is asking, ``None`` for nobody or when the headers are not the proxy's.

        :raises SsoRefused: see :func:`read_identity`.
        """
        reason = distrust(environ, self.rules)
        if reason is not None:
            if carries_identity(environ, self.rules):
                self._log(environ, reason)
            return None
        return read_identity(environ, self.rules)

    def _log(self, environ: Mapping[str, Any], reason: Reason) -> None:
        peer = peer_of(environ) or UNKNOWN
        if self._once.first(peer, reason):
            logger.warning(
                "Identity headers ignored: reason=%s peer=%s (said once for this peer). %s.",
                reason.value,
                peer,
                reason.remedy.capitalize(),
            )


def _raw(environ: Mapping[str, Any], name: str, rules: HeaderRules) -> str | None:
    value = environ.get(name if rules.in_process else environ_key(name))
    return value if isinstance(value, str) else None


def _identifier(environ: Mapping[str, Any], name: str, rules: HeaderRules, limit: int) -> str | None:
    text = _free_text(environ, name, rules, limit, identifier=True)
    if text is not None and "," in text and not rules.in_process:
        # Servers join a header that came twice with a comma: it cannot be told whose half is whose.
        raise SsoRefused(Reason.HEADER_LIST, name)
    return text


def _free_text(
    environ: Mapping[str, Any], name: str, rules: HeaderRules, limit: int, *, identifier: bool = False
) -> str | None:
    raw = _raw(environ, name, rules)
    if raw is None:
        return None
    if len(raw) > limit * 12:
        # Twelve bytes hold any character however encoded ("%F0%9F%99%82"): beyond, decoding is wasted work.
        raise SsoRefused(Reason.HEADER_TOO_LONG, name)
    text = decode_header(raw, rules.encoding)
    # Before stripping: a line feed at the end is a line feed.
    control = first_control(text, identifier=identifier)
    if control:
        raise SsoRefused(Reason.HEADER_CONTROL, f"{name} holds {control}")
    text = text.strip()
    if not text or text in rules.anonymous:
        return None
    if len(text) > limit:
        raise SsoRefused(Reason.HEADER_TOO_LONG, name)
    return text
