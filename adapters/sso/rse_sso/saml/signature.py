"""A signature's form, looked at before any cryptography: where it stands, what it covers, by which algorithms.

xmlsec1 says whether a signature is right; it does not say that it signs what is read. That follows from the rules here.
"""

from __future__ import annotations

from collections.abc import Collection

from ..reasons import Reason, SsoRefused
from .xml import DS, MD, SAML, Element, every

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
DIGESTS = (
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
)
_CANONICAL = (EXCLUSIVE, f"{EXCLUSIVE}WithComments")


def is_signed(element: Element, algorithms: Collection[str]) -> bool:
    """Whether the element bears a signature, whose form is then right.

    :param algorithms: the addresses of those that are accepted.
    :raises SsoRefused: ``saml_wrapped`` or ``saml_algorithm``.
    """
    found = element.findall(f"{DS}Signature")
    if not found:
        return False
    children = list(element)
    # In a message the signature follows the issuer, so that it is the first that xmlsec1 finds from the element on.
    place = 0 if element.tag.startswith(MD) else 1
    if len(found) != 1 or len(children) <= place or children[place] is not found[0]:
        raise SsoRefused(Reason.SAML_WRAPPED, "a signature that is not in its place")
    if place and (children[0].tag != f"{SAML}Issuer" or len(children[0])):
        raise SsoRefused(Reason.SAML_WRAPPED, "a signature that does not follow the issuer")
    _form(found[0], element.get("ID"), algorithms)
    return True


def only_in_place(root: Element, bearers: Collection[Element]) -> None:
    """Refuse a document that holds any signature but those of ``bearers``."""
    allowed = [signature for bearer in bearers for signature in bearer.findall(f"{DS}Signature")]
    for each in every(root, f"{DS}Signature"):
        if not any(each is one for one in allowed):
            raise SsoRefused(Reason.SAML_WRAPPED, "a signature that belongs to nothing")


def node_name(element: Element) -> str:
    """The element's name as xmlsec1 wants it, to know which attribute identifies it."""
    namespace, _, name = element.tag[1:].partition("}")
    return f"{namespace}:{name}"


def _form(signature: Element, identifier: str | None, algorithms: Collection[str]) -> None:
    infos = signature.findall(f"{DS}SignedInfo")
    if len(infos) != 1 or signature.find(f"{DS}Object") is not None or not identifier:
        raise SsoRefused(Reason.SAML_WRAPPED, "a signature of another form")
    (info,) = infos
    names = [child.tag for child in info]
    if names != [f"{DS}CanonicalizationMethod", f"{DS}SignatureMethod", f"{DS}Reference"]:
        raise SsoRefused(Reason.SAML_WRAPPED, "a signature that covers not exactly one element")
    canonical, method, reference = list(info)
    if reference.get("URI") != f"#{identifier}":
        raise SsoRefused(Reason.SAML_WRAPPED, "a signature of another element")
    if canonical.get("Algorithm") not in _CANONICAL:
        raise SsoRefused(Reason.SAML_ALGORITHM, _shown(canonical.get("Algorithm")))
    if method.get("Algorithm") not in algorithms or len(method):
        raise SsoRefused(Reason.SAML_ALGORITHM, _shown(method.get("Algorithm")))
    _transforms(reference)
    digests = reference.findall(f"{DS}DigestMethod")
    if len(digests) != 1 or digests[0].get("Algorithm") not in DIGESTS:
        raise SsoRefused(Reason.SAML_ALGORITHM, _shown(digests[0].get("Algorithm") if digests else None))


def _transforms(reference: Element) -> None:
    found = [each.get("Algorithm") for each in reference.findall(f"{DS}Transforms/{DS}Transform")]
    if len(reference.findall(f"{DS}Transforms")) != 1 or not 1 <= len(found) <= 2 or found[0] != ENVELOPED:
        raise SsoRefused(Reason.SAML_ALGORITHM, "transforms of another form")
    if any(name not in _CANONICAL for name in found[1:]):
        raise SsoRefused(Reason.SAML_ALGORITHM, _shown(found[1]))


def _shown(value: object) -> str:
    return repr(value)[:80]


