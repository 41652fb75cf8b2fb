"""Why a sign-in is refused: one stable code, a sentence for the administrator, a family for the person.

The person never learns which check failed in detail (it would not help them, and would help an
attacker); the administrator's log line carries the code and the remedy, never a secret nor a token.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Family(str, Enum):
    """What the person is told: five situations, each with its own remedy."""

    EXPIRED = "expired"
    USED = "used"
    UNVERIFIED = "unverified"
    MISCONFIGURED = "misconfigured"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class _Entry:
    family: Family
    remedy: str


class Reason(str, Enum):
    """Stable codes, one for each check. They stand in logs: renaming one breaks somebody's alert."""

    TOKEN_MISSING = "token_missing"
    TOKEN_TOO_LONG = "token_too_long"
    TOKEN_MALFORMED = "token_malformed"
    TOKEN_HEADER = "token_header"
    TOKEN_ALGORITHM = "token_algorithm"
    TOKEN_KEY_UNKNOWN = "token_key_unknown"
    TOKEN_KEY_MISSING = "token_key_missing"
    TOKEN_SIGNATURE = "token_signature"
    TOKEN_CLAIMS = "token_claims"
    TOKEN_ISSUER = "token_issuer"
    TOKEN_AUDIENCE = "token_audience"
    TOKEN_SUBJECT = "token_subject"
    TOKEN_NONCE = "token_nonce"
    TOKEN_LIFETIME = "token_lifetime"
    TOKEN_FUTURE = "token_future"
    TOKEN_EXPIRED = "token_expired"
    TOKEN_REPLAYED = "token_replayed"
    TOKEN_AMBIGUOUS = "token_ambiguous"
    HANDOFF_OFF = "handoff_off"
    HANDOFF_CROSS_SITE = "handoff_cross_site"
    NONCE_STORE = "nonce_store"
    HEADER_EMPTY = "header_empty"
    HEADER_LIST = "header_list"
    HEADER_CONTROL = "header_control"
    HEADER_TOO_LONG = "header_too_long"
    HEADER_ENCODING = "header_encoding"
    SERVER_MERGES_HEADERS = "server_merges_headers"
    # Not refusals: the headers are ignored and the request goes on without an identity.
    PEER_UNTRUSTED = "peer_untrusted"
    SECRET_MISSING = "secret_missing"
    SECRET_WRONG = "secret_wrong"

    @property
    def family(self) -> Family:
        """The situation as the person sees it."""
        return _TABLE[self].family

    @property
    def remedy(self) -> str:
        """What an administrator should look at, in English, for the log."""
        return _TABLE[self].remedy


_U, _M = Family.UNVERIFIED, Family.MISCONFIGURED
_TABLE: dict[Reason, _Entry] = {
    Reason.TOKEN_MISSING: _Entry(_U, "send the token as rse_handoff, in the query or in a POST form"),
    Reason.TOKEN_TOO_LONG: _Entry(_U, "keep the token under 4096 characters: send identifiers, not documents"),
    Reason.TOKEN_MALFORMED: _Entry(_U, "a token is three unpadded base64url parts joined by dots"),
    Reason.TOKEN_HEADER: _Entry(_U, 'the header holds alg, typ and kid only: {"alg":"HS256","typ":"JWT","kid":…}'),
    Reason.TOKEN_ALGORITHM: _Entry(_U, "sign with HS256; no other algorithm is accepted, least of all none"),
    Reason.TOKEN_KEY_UNKNOWN: _Entry(_U, "the token's kid names no key under [sso.handoff.keys]"),
    Reason.TOKEN_KEY_MISSING: _Entry(_U, "several keys are configured: the token's header must name one in kid"),
    Reason.TOKEN_SIGNATURE: _Entry(_U, "the intranet and RSE do not hold the same secret for this kid"),
    Reason.TOKEN_CLAIMS: _Entry(_U, "the payload is one JSON object with each member once and of its right type"),
    Reason.TOKEN_ISSUER: _Entry(_U, "iss must equal the issuer under [sso.handoff]"),
    Reason.TOKEN_AUDIENCE: _Entry(_U, "aud must equal the audience under [sso.handoff]"),
    Reason.TOKEN_SUBJECT: _Entry(_U, "sub is the person's stable identifier: 1 to 255 characters, none a control"),
    Reason.TOKEN_NONCE: _Entry(_U, "jti is 16 to 128 random letters, digits, '-', '_' or '.', new for each token"),
    Reason.TOKEN_LIFETIME: _Entry(_U, "exp must follow iat by no more than max_age seconds (120 or less)"),
    Reason.TOKEN_FUTURE: _Entry(_U, "the token is dated in the future: compare the two servers' clocks (NTP)"),
    Reason.TOKEN_EXPIRED: _Entry(Family.EXPIRED, "make the token when the link is followed, not when the page is drawn"),
    Reason.TOKEN_REPLAYED: _Entry(Family.USED, "a token serves once: make a new one for each sign-in"),
    Reason.TOKEN_AMBIGUOUS: _Entry(_U, "several different tokens came with one request: send one"),
    Reason.HANDOFF_OFF: _Entry(_M, 'add "handoff" to sources under [sso] and a key under [sso.handoff.keys]'),
    Reason.HANDOFF_CROSS_SITE: _Entry(
        _U, "the link was followed from a foreign site; set allow_cross_site when the sign-in portal is one"
    ),
    Reason.NONCE_STORE: _Entry(
        Family.UNAVAILABLE, "the database did not record the token's use, so it was not accepted; see the error above"
    ),
    Reason.HEADER_EMPTY: _Entry(_M, "the proxy sent an empty identity; send '-' for a visitor who is not signed in"),
    Reason.HEADER_LIST: _Entry(_M, "the identity header came twice or holds a list: the proxy must replace it, not add"),
    Reason.HEADER_CONTROL: _Entry(_M, "the identity header holds a control character"),
    Reason.HEADER_TOO_LONG: _Entry(_M, "the identity header is longer than any identifier"),
    Reason.HEADER_ENCODING: _Entry(_M, "the header is not in the configured encoding; see encoding under [sso.header]"),
    Reason.SERVER_MERGES_HEADERS: _Entry(
        _M, "this server takes X_RSE_User for X-RSE-User; serve with gunicorn or waitress, never wsgiref"
    ),
    Reason.PEER_UNTRUSTED: _Entry(_M, "add the proxy's address to peers under [sso.header] if it is yours"),
    Reason.SECRET_MISSING: _Entry(_M, "the peer is trusted but sent no proxy secret"),
    Reason.SECRET_WRONG: _Entry(_M, "the peer is trusted but its proxy secret is none of those configured"),
}


class SsoRefused(Exception):
    """A sign-in that is refused, with its reason.

    :param reason: the stable code.
    :param detail: names the offending thing for the log; never holds a secret, a token or a raw value.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail
