"""The provider's answer: what must hold before a word of it is believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..reasons import Reason, SsoRefused
from .config import ALGORITHMS, NAME_IDS, SamlConfig
from .crypto import Xmlsec, verifies
from .encryption import name_element, opened
from .provider import Provider
from .signature import is_signed, node_name, only_in_place
from .xml import SAML, SAMLP, XENC, Element, every, local, moment, only, parse, text_of

SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
ENTITY = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
_NO = ("AuthnFailed", "RequestDenied", "NoPassive", "NoAuthnContext")


@dataclass(frozen=True)
class NameId:
    """The provider's name for the person, with what belongs to it."""

    value: str
    format: str = ""
    qualifier: str = ""
    sp_qualifier: str = ""


@dataclass(frozen=True)
class Verified:
    """An assertion that holds.

    :param until: seconds since 1970 after which it would be refused, replay or not.
    :param in_response_to: the request that it answers, ``None`` for none.
    :param session_until: seconds since 1970 at which the person's session is over, ``None`` when the provider does not say.
    """

    identifier: str
    until: float
    in_response_to: str | None
    name_id: NameId | None
    session_index: str
    attributes: Mapping[str, tuple[str, ...]]
    session_until: float | None


@dataclass(frozen=True)
class Answer:
    """An answer that was read and not verified yet."""

    raw: bytes
    root: Element

    @property
    def in_response_to(self) -> str | None:
        """What it claims to answer: believed only when the assertion says the same."""
        found = self.root.get("InResponseTo")
        if found is None:
            data = next(every(self.root, f"{SAML}SubjectConfirmationData"), None)
            found = None if data is None else data.get("InResponseTo")
        return None if found is None else str(found)


def read(raw: bytes) -> Answer:
    """The answer's form.

    :raises SsoRefused: when it is none.
    """
    root = parse(raw)
    if root.tag != f"{SAMLP}Response" or root.get("Version") != "2.0":
        raise SsoRefused(Reason.SAML_MALFORMED, f"a {local(root.tag)[:40]} in place of a Response")
    return Answer(raw, root)


class Verifier:
    """Verifies answers for one site.

    :param clock: seconds since 1970.
    """

    def __init__(self, config: SamlConfig, provider: Provider, backend: Xmlsec, *, clock: Callable[[], float]) -> None:
        self.config = config
        self._provider = provider
        self._backend = backend
        self._clock = clock
        self._algorithms = tuple(ALGORITHMS[name] for name in config.algorithms)

    def verify(self, answer: Answer) -> Verified:
        """The assertion, once all of it holds.

        :raises SsoRefused: with the first thing that does not.
        """
        root, raw, config = answer.root, answer.raw, self.config
        answer_signed = is_signed(root, self._algorithms)
        if answer_signed:
            self._check(raw, root)
        self._envelope(root, answer_signed)
        _status(root)
        encrypted = only(root, f"{SAML}EncryptedAssertion")
        if encrypted is not None:
            raw, root = self._open(raw, encrypted, root)
        elif config.require_encryption:
            raise SsoRefused(Reason.SAML_UNENCRYPTED)
        assertion = _the_assertion(root, encrypted is not None)
        assertion_signed = is_signed(assertion, self._algorithms)
        only_in_place(root, [root, assertion])
        if assertion_signed:
            self._check(raw, assertion)
        enough = {"assertion": assertion_signed, "either": assertion_signed or answer_signed}
        if not enough.get(config.signed, assertion_signed and answer_signed):
            raise SsoRefused(Reason.SAML_UNSIGNED, f"signed = {config.signed}")
        return self._read(raw, root, assertion)

    def _check(self, raw: bytes, element: Element) -> None:
        node, identifier = node_name(element), str(element.get("ID"))
        if not self._provider.believes(lambda keys: verifies(self._backend, raw, node, identifier, keys)):
            raise SsoRefused(Reason.SAML_SIGNATURE, f"of the {local(element.tag)}")

    def _envelope(self, root: Element, signed: bool) -> None:
        issuer = only(root, f"{SAML}Issuer")
        if issuer is not None:
            self._issued(issuer)
        destination = root.get("Destination")
        if destination is None and not signed:
            return
        if destination != self.config.acs_url:
            raise SsoRefused(Reason.SAML_DESTINATION, f"it is meant for {destination!r:.200}")

    def _issued(self, issuer: Element | None) -> None:
        said = text_of(issuer)
        if issuer is None or said != self.config.issuer or issuer.get("Format", ENTITY) != ENTITY:
            raise SsoRefused(Reason.SAML_ISSUER, f"it says {said!r:.120}")

    def _open(self, raw: bytes, encrypted: Element, root: Element) -> tuple[bytes, Element]:
        if root.findall(f"{SAML}Assertion") or len(list(every(root, f"{XENC}EncryptedData"))) != 1:
            raise SsoRefused(Reason.SAML_WRAPPED, "more than one encrypted part, or an assertion beside it")
        return opened(self.config, self._backend, raw, encrypted, root)

    def _read(self, raw: bytes, root: Element, assertion: Element) -> Verified:
        now, skew = self._clock(), self.config.clock_skew
        if assertion.get("Version") != "2.0":
            raise SsoRefused(Reason.SAML_MALFORMED, "another version")
        self._issued(only(assertion, f"{SAML}Issuer"))
        for each in (root, assertion):
            issued = moment(each.get("IssueInstant"))
            if issued is None:
                raise SsoRefused(Reason.SAML_MALFORMED, "no date of issue")
            if issued > now + skew:
                raise SsoRefused(Reason.SAML_FUTURE, f"issued {_apart(issued, now)}")
        subject = only(assertion, f"{SAML}Subject")
        if subject is None:
            raise SsoRefused(Reason.SAML_SUBJECT, "no subject")
        until, in_response_to = self._confirmed(subject, now)
        claimed = root.get("InResponseTo")
        if claimed is not None and claimed != in_response_to:
            raise SsoRefused(Reason.SAML_RESPONSE_TO, "answer and assertion name two requests")
        until = min(until, self._conditions(assertion, now))
        index, session_until = self._authenticated(assertion, now)
        name = name_element(self.config, self._backend, raw, root, subject)
        return Verified(
            str(assertion.get("ID")), until + skew, in_response_to, self._name_id(name), index, _attributes(assertion),
            session_until,
        )  # fmt: skip

    def _confirmed(self, subject: Element, now: float) -> tuple[float, str | None]:
        """Until when one confirmation of a bearer holds, and which request it names."""
        refusal = SsoRefused(Reason.SAML_SUBJECT, "no confirmation by a bearer")
        for each in subject.findall(f"{SAML}SubjectConfirmation"):
            if each.get("Method") != BEARER:
                continue
            try:
                return self._bearer(only(each, f"{SAML}SubjectConfirmationData"), now)
            except SsoRefused as found:
                refusal = found
        raise refusal

    def _bearer(self, data: Element | None, now: float) -> tuple[float, str | None]:
        ends = moment(data.get("NotOnOrAfter")) if data is not None else None
        if data is None or ends is None:
            raise SsoRefused(Reason.SAML_SUBJECT, "a confirmation without an end")
        if data.get("Recipient") != self.config.acs_url:
            raise SsoRefused(Reason.SAML_RECIPIENT, f"it is meant for {data.get('Recipient')!r:.200}")
        begins = moment(data.get("NotBefore"))
        self._in_time(begins, ends, now)
        asked = data.get("InResponseTo")
        return ends, None if asked is None else str(asked)

    def _conditions(self, assertion: Element, now: float) -> float:
        conditions = only(assertion, f"{SAML}Conditions")
        if conditions is None:
            raise SsoRefused(Reason.SAML_AUDIENCE, "no conditions")
        begins, ends = moment(conditions.get("NotBefore")), moment(conditions.get("NotOnOrAfter"))
        self._in_time(begins, ends, now)
        audiences = conditions.findall(f"{SAML}AudienceRestriction")
        for each in audiences:
            named = [text_of(audience) for audience in each.findall(f"{SAML}Audience")]
            if self.config.entity_id not in named:
                raise SsoRefused(Reason.SAML_AUDIENCE, f"it is meant for {', '.join(filter(None, named))!r:.200}")
        if not audiences:
            raise SsoRefused(Reason.SAML_AUDIENCE, "it is meant for anybody")
        known = ("AudienceRestriction", "OneTimeUse", "ProxyRestriction")
        for each in conditions:
            if each.tag not in [f"{SAML}{name}" for name in known]:
                raise SsoRefused(Reason.SAML_MALFORMED, "a condition that is not known")
        return float("inf") if ends is None else ends

    def _authenticated(self, assertion: Element, now: float) -> tuple[str, float | None]:
        """The provider's name of the session, and when it is over there."""
        statements = assertion.findall(f"{SAML}AuthnStatement")
        if not statements:
            raise SsoRefused(Reason.SAML_SUBJECT, "it does not say that anybody signed in")
        ends = [when for each in statements if (when := moment(each.get("SessionNotOnOrAfter"))) is not None]
        until = min(ends, default=None)
        # By our clock alone: a session that is granted for the difference of two clocks would be over as it begins.
        if until is not None and now >= until:
            raise SsoRefused(Reason.SAML_EXPIRED, f"the session ended {_apart(until, now)}")
        return str(statements[0].get("SessionIndex") or ""), until

    def _in_time(self, begins: float | None, ends: float | None, now: float) -> None:
        skew = self.config.clock_skew
        if begins is not None and now + skew < begins:
            raise SsoRefused(Reason.SAML_FUTURE, f"it begins {_apart(begins, now)}")
        if ends is not None and now - skew >= ends:
            raise SsoRefused(Reason.SAML_EXPIRED, f"it ended {_apart(ends, now)}")

    def _name_id(self, found: Element | None) -> NameId | None:
        if found is None:
            return None
        value = text_of(found)
        if value is None:
            raise SsoRefused(Reason.SAML_SUBJECT, "a NameID that is not one text")
        made = NameId(
            value, found.get("Format") or "", found.get("NameQualifier") or "", found.get("SPNameQualifier") or ""
        )
        if made.sp_qualifier not in ("", self.config.entity_id):
            raise SsoRefused(Reason.SAML_SUBJECT, "a NameID made for another site")
        return made


def is_transient(name_id: NameId) -> bool:
    """Whether the name is another one at each sign-in."""
    return name_id.format == NAME_IDS["transient"]


def _status(root: Element) -> None:
    status = only(root, f"{SAMLP}Status")
    codes = [] if status is None else [str(each.get("Value")) for each in status.iter(f"{SAMLP}StatusCode")]
    if not codes:
        raise SsoRefused(Reason.SAML_MALFORMED, "no status")
    if codes != [SUCCESS]:
        names = [code.rpartition(":")[2][:40] for code in codes[:2]]
        reason = Reason.CANCELLED if any(name in _NO for name in names) else Reason.SAML_STATUS
        raise SsoRefused(reason, f"the provider says {', '.join(map(repr, names))}")


def _the_assertion(root: Element, was_encrypted: bool) -> Element:
    """The one assertion of the document, in the one place where it may stand."""
    anywhere = list(every(root, f"{SAML}Assertion"))
    parent = root.find(f"{SAML}EncryptedAssertion") if was_encrypted else root
    there = [] if parent is None else parent.findall(f"{SAML}Assertion")
    if was_encrypted and not anywhere:
        raise SsoRefused(Reason.SAML_ENCRYPTION, "what was encrypted is no assertion")
    if len(anywhere) != 1 or len(there) != 1 or anywhere[0] is not there[0]:
        raise SsoRefused(Reason.SAML_WRAPPED, f"{len(anywhere)} assertions, {len(there)} in place")
    if any(True for _ in every(there[0], f"{SAMLP}Response")) or not there[0].get("ID"):
        raise SsoRefused(Reason.SAML_WRAPPED, "an answer within the assertion")
    return there[0]


def _attributes(assertion: Element) -> dict[str, tuple[str, ...]]:
    """By name, and by friendly name where no attribute has it for a name; no attribute takes another's place."""
    named: dict[str, tuple[str, ...]] = {}
    friendly: dict[str, tuple[str, ...]] = {}
    for each in assertion.findall(f"{SAML}AttributeStatement/{SAML}Attribute"):
        values = tuple(filter(None, (text_of(value) for value in each.findall(f"{SAML}AttributeValue"))))
        for found, key in ((named, each.get("Name")), (friendly, each.get("FriendlyName"))):
            if key:
                found[key] = (*found.get(key, ()), *values)
    return {**friendly, **named}


def _apart(when: float, now: float) -> str:
    return f"{abs(when - now):.0f} s {'after' if when > now else 'before'} our time"
