"""Why a sign-in is refused: one stable code, a sentence for the administrator, a family for the person.

The person never learns which check failed in detail (it would not help them, and would help an
attacker); the administrator's log line carries the code and the remedy, never a secret nor a token.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto


class Family(StrEnum):
    """What the person is told: nine situations, each with its own remedy."""

    EXPIRED = auto()
    USED = auto()
    UNVERIFIED = auto()
    MISCONFIGURED = auto()
    UNAVAILABLE = auto()
    UNKNOWN = auto()
    DISABLED = auto()
    CANCELLED = auto()
    ATTEMPT = auto()


@dataclass(frozen=True)
class _Entry:
    family: Family
    remedy: str


class Reason(StrEnum):
    """Stable codes, one for each check. They stand in logs: renaming one breaks somebody's alert."""

    TOKEN_MISSING = auto()
    TOKEN_TOO_LONG = auto()
    TOKEN_MALFORMED = auto()
    TOKEN_HEADER = auto()
    TOKEN_ALGORITHM = auto()
    TOKEN_KEY_UNKNOWN = auto()
    TOKEN_KEY_MISSING = auto()
    TOKEN_SIGNATURE = auto()
    TOKEN_CLAIMS = auto()
    TOKEN_ISSUER = auto()
    TOKEN_AUDIENCE = auto()
    TOKEN_SUBJECT = auto()
    TOKEN_NONCE = auto()
    TOKEN_LIFETIME = auto()
    TOKEN_FUTURE = auto()
    TOKEN_EXPIRED = auto()
    TOKEN_REPLAYED = auto()
    TOKEN_AMBIGUOUS = auto()
    HANDOFF_OFF = auto()
    HANDOFF_CROSS_SITE = auto()
    NONCE_STORE = auto()
    PERSON_UNKNOWN = auto()
    HEADER_EMPTY = auto()
    HEADER_LIST = auto()
    HEADER_CONTROL = auto()
    HEADER_TOO_LONG = auto()
    HEADER_ENCODING = auto()
    SERVER_MERGES_HEADERS = auto()
    # The sign-ins at a server.
    PERSON_DISABLED = auto()
    CANCELLED = auto()
    ATTEMPT_UNKNOWN = auto()
    ATTEMPT_EXPIRED = auto()
    PROVIDER_DOWN = auto()
    PROVIDER_ANSWER = auto()
    PROVIDER_INSECURE = auto()
    OIDC_DISCOVERY_ISSUER = auto()
    OIDC_ANSWER = auto()
    OIDC_CLIENT = auto()
    OIDC_CODE = auto()
    OIDC_REPLAYED = auto()
    OIDC_MALFORMED = auto()
    OIDC_ALGORITHM = auto()
    OIDC_KEY_UNKNOWN = auto()
    OIDC_SIGNATURE = auto()
    OIDC_ISSUER = auto()
    OIDC_AUDIENCE = auto()
    OIDC_EXPIRED = auto()
    OIDC_FUTURE = auto()
    OIDC_NONCE = auto()
    OIDC_AT_HASH = auto()
    OIDC_SUBJECT = auto()
    OIDC_CLAIM = auto()
    OIDC_LOGOUT = auto()
    CAS_TICKET = auto()
    CAS_SERVICE = auto()
    CAS_REPLAYED = auto()
    CAS_ANSWER = auto()
    CAS_CLAIM = auto()
    CAS_LOGOUT = auto()
    SAML_TOO_LONG = auto()
    SAML_MALFORMED = auto()
    SAML_WRAPPED = auto()
    SAML_STATUS = auto()
    SAML_UNSIGNED = auto()
    SAML_ALGORITHM = auto()
    SAML_SIGNATURE = auto()
    SAML_ENCRYPTION = auto()
    SAML_UNENCRYPTED = auto()
    SAML_ISSUER = auto()
    SAML_AUDIENCE = auto()
    SAML_DESTINATION = auto()
    SAML_RECIPIENT = auto()
    SAML_EXPIRED = auto()
    SAML_FUTURE = auto()
    SAML_UNSOLICITED = auto()
    SAML_RESPONSE_TO = auto()
    SAML_REPLAYED = auto()
    SAML_SUBJECT = auto()
    SAML_CLAIM = auto()
    SAML_METADATA = auto()
    SAML_KEYS = auto()
    SAML_LOGOUT = auto()
    # Not refusals: the headers are ignored and the request goes on without an identity.
    PEER_UNTRUSTED = auto()
    SECRET_MISSING = auto()
    SECRET_WRONG = auto()

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
    Reason.TOKEN_TOO_LONG: _Entry(_U, "keep the token under 4096 characters"),
    Reason.TOKEN_MALFORMED: _Entry(_U, "a token is three unpadded base64url parts joined by dots"),
    Reason.TOKEN_HEADER: _Entry(_U, "the header holds alg (HS256), typ (JWT) and kid, no more"),
    Reason.TOKEN_ALGORITHM: _Entry(_U, "sign with HS256; no other algorithm is accepted, least of all none"),
    Reason.TOKEN_KEY_UNKNOWN: _Entry(_U, "the token's kid names no key under [sso.handoff.keys]"),
    Reason.TOKEN_KEY_MISSING: _Entry(_U, "there are several keys: the token's header must name one in kid"),
    Reason.TOKEN_SIGNATURE: _Entry(_U, "the intranet and RSE do not hold the same secret for this kid"),
    Reason.TOKEN_CLAIMS: _Entry(_U, "the payload is one JSON object, each member once and of its right type"),
    Reason.TOKEN_ISSUER: _Entry(_U, "iss must equal the issuer under [sso.handoff]"),
    Reason.TOKEN_AUDIENCE: _Entry(_U, "aud must equal the audience under [sso.handoff]"),
    Reason.TOKEN_SUBJECT: _Entry(_U, "sub is a stable identifier of 1 to 255 visible characters"),
    Reason.TOKEN_NONCE: _Entry(_U, "jti is 16 to 128 random letters and digits, new for each token"),
    Reason.TOKEN_LIFETIME: _Entry(_U, "exp must follow iat by no more than max_age seconds (120 or less)"),
    Reason.TOKEN_FUTURE: _Entry(_U, "the token is dated in the future: compare both servers' clocks (NTP)"),
    Reason.TOKEN_EXPIRED: _Entry(Family.EXPIRED, "make the token when the link is followed"),
    Reason.TOKEN_REPLAYED: _Entry(Family.USED, "a token serves once: make a new one for each sign-in"),
    Reason.TOKEN_AMBIGUOUS: _Entry(_U, "several different tokens came with one request: send one"),
    Reason.HANDOFF_OFF: _Entry(_M, 'add "handoff" to sources under [sso] and a key under [sso.handoff.keys]'),
    Reason.HANDOFF_CROSS_SITE: _Entry(_U, "the link came from a foreign site; set allow_cross_site if the portal is one"),
    Reason.NONCE_STORE: _Entry(Family.UNAVAILABLE, "the token's use could not be recorded; see the error above"),
    Reason.PERSON_UNKNOWN: _Entry(Family.UNKNOWN, "no active person has this identity; import them, and see identity_key"),
    Reason.PERSON_DISABLED: _Entry(Family.DISABLED, "the person is known and not active; see the directory"),
    Reason.CANCELLED: _Entry(Family.CANCELLED, "the person, or the server's rules, said no; see the server's log"),
    Reason.ATTEMPT_UNKNOWN: _Entry(
        Family.ATTEMPT, "this browser began no such sign-in: cookies blocked, an old tab, or somebody else's link"
    ),
    Reason.ATTEMPT_EXPIRED: _Entry(Family.ATTEMPT, "the person stayed more than ten minutes at the sign-in server"),
    Reason.PROVIDER_DOWN: _Entry(Family.UNAVAILABLE, "the sign-in server did not answer; try rse sso check --online"),
    Reason.PROVIDER_ANSWER: _Entry(Family.UNAVAILABLE, "the sign-in server's answer cannot be used; see the detail"),
    Reason.PROVIDER_INSECURE: _Entry(_M, "addresses of a sign-in server must be https"),
    Reason.OIDC_DISCOVERY_ISSUER: _Entry(_M, "issuer under [sso.oidc] must equal the discovery document's, to the letter"),
    Reason.OIDC_ANSWER: _Entry(_M, "the provider refused the request: compare client_id, redirect_uri and scopes with it"),
    Reason.OIDC_CLIENT: _Entry(_M, "the provider does not accept RSE's client_id with this secret or key; see auth_method"),
    Reason.OIDC_CODE: _Entry(_U, "the provider did not accept the code: used before, too old, or another redirect_uri"),
    Reason.OIDC_REPLAYED: _Entry(Family.USED, "an answer serves once: the person went back, or somebody replays"),
    Reason.OIDC_MALFORMED: _Entry(_U, "a token or answer is not in its form; see the detail"),
    Reason.OIDC_ALGORITHM: _Entry(_U, "add the algorithm to algorithms under [sso.oidc] if the provider is to use it"),
    Reason.OIDC_KEY_UNKNOWN: _Entry(_U, "the token names a key that the provider does not publish"),
    Reason.OIDC_SIGNATURE: _Entry(_U, "the signature is not that of the provider's key"),
    Reason.OIDC_ISSUER: _Entry(_U, "the token is another issuer's"),
    Reason.OIDC_AUDIENCE: _Entry(_U, "the token was made for another application than client_id"),
    Reason.OIDC_EXPIRED: _Entry(Family.EXPIRED, "the token is too old: compare both servers' clocks (NTP)"),
    Reason.OIDC_FUTURE: _Entry(_U, "the token is dated in the future: compare both servers' clocks (NTP)"),
    Reason.OIDC_NONCE: _Entry(_U, "the token was made for another attempt: somebody may be injecting codes"),
    Reason.OIDC_AT_HASH: _Entry(_U, "the access token is not the one that was issued with the ID token"),
    Reason.OIDC_SUBJECT: _Entry(_U, "sub is a stable identifier of 1 to 255 visible characters"),
    Reason.OIDC_CLAIM: _Entry(_M, "let the provider send this claim, or change identifier under [sso.oidc]"),
    Reason.OIDC_LOGOUT: _Entry(_U, "this is no logout token of the provider; see the detail"),
    Reason.CAS_TICKET: _Entry(_U, "the server does not know the ticket: used before, too old, or invented"),
    Reason.CAS_SERVICE: _Entry(_M, "the server knows RSE by another address than service_url under [sso.cas]"),
    Reason.CAS_REPLAYED: _Entry(Family.USED, "a ticket serves once: the person went back, or somebody replays"),
    Reason.CAS_ANSWER: _Entry(Family.UNAVAILABLE, "the server's answer is no CAS answer; see server_url under [sso.cas]"),
    Reason.CAS_CLAIM: _Entry(_M, "let the server release this attribute, or change identifier under [sso.cas]"),
    Reason.CAS_LOGOUT: _Entry(_U, "this is no sign-out message of a CAS server"),
    Reason.SAML_TOO_LONG: _Entry(_U, "no message of a provider is so long; see the detail"),
    Reason.SAML_MALFORMED: _Entry(_U, "a message is not in its form; see the detail"),
    Reason.SAML_WRAPPED: _Entry(_U, "the message is built to show other things than were signed: look who sends it"),
    Reason.SAML_STATUS: _Entry(_M, "the provider could not answer: compare its idea of RSE with rse sso metadata"),
    Reason.SAML_UNSIGNED: _Entry(_U, "let the provider sign the assertion, or see signed under [sso.saml]"),
    Reason.SAML_ALGORITHM: _Entry(_U, "let the provider use SHA-256, and RSA-OAEP where it encrypts; see algorithms"),
    Reason.SAML_SIGNATURE: _Entry(_U, "no key of the provider's metadata made the signature: renew it if the key changed"),
    Reason.SAML_ENCRYPTION: _Entry(_U, "it is encrypted to another key than RSE's: give the provider RSE's metadata again"),
    Reason.SAML_UNENCRYPTED: _Entry(_U, "let the provider encrypt assertions, or switch require_encryption off"),
    Reason.SAML_ISSUER: _Entry(_U, "the message is another provider's than issuer under [sso.saml]"),
    Reason.SAML_AUDIENCE: _Entry(_U, "the assertion was made for another application than entity_id"),
    Reason.SAML_DESTINATION: _Entry(_U, "the message was sent to another address than it names: see acs_url"),
    Reason.SAML_RECIPIENT: _Entry(_U, "the assertion was made for another address than acs_url"),
    Reason.SAML_EXPIRED: _Entry(Family.EXPIRED, "the message is too old: compare both servers' clocks (NTP)"),
    Reason.SAML_FUTURE: _Entry(_U, "the message is dated in the future: compare both servers' clocks (NTP)"),
    Reason.SAML_UNSOLICITED: _Entry(
        Family.ATTEMPT, "nobody asked for this answer; set allow_unsolicited if people start at the provider's portal"
    ),
    Reason.SAML_RESPONSE_TO: _Entry(_U, "the assertion was made for another attempt: somebody may be injecting answers"),
    Reason.SAML_REPLAYED: _Entry(Family.USED, "an answer serves once: the person went back, or somebody replays"),
    Reason.SAML_SUBJECT: _Entry(_U, "the provider must name the person in a way that lasts: see name_id_format and subject"),
    Reason.SAML_CLAIM: _Entry(_M, "let the provider release this attribute, or change identifier under [sso.saml]"),
    Reason.SAML_METADATA: _Entry(_M, "the provider's metadata cannot be used; see the detail and rse sso check --online"),
    Reason.SAML_KEYS: _Entry(_M, "look at private_key_file, certificate_file and xmlsec1 under [sso.saml]"),
    Reason.SAML_LOGOUT: _Entry(_U, "this is no sign-out message of the provider; see the detail"),
    Reason.HEADER_EMPTY: _Entry(_M, "the proxy sent an empty identity; send '-' for nobody"),
    Reason.HEADER_LIST: _Entry(_M, "the header came twice or holds a list: the proxy must replace, not add"),
    Reason.HEADER_CONTROL: _Entry(_M, "the identity header holds a control character"),
    Reason.HEADER_TOO_LONG: _Entry(_M, "the identity header is longer than any identifier"),
    Reason.HEADER_ENCODING: _Entry(_M, "see encoding under [sso.header]"),
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
