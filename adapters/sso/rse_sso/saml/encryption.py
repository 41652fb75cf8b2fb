"""Encrypted parts of messages: what may be opened at all, and the name of a person that was hidden."""

from __future__ import annotations

from ..reasons import Reason, SsoRefused
from .config import SamlConfig
from .crypto import Xmlsec, decrypted
from .xml import DS, SAML, XENC, Element, every, local, only, parse

ENCRYPTED_ID = f"{SAML}EncryptedID"
_CIPHERS = tuple(f"http://www.w3.org/2009/xmlenc11#aes{bits}-gcm" for bits in (128, 192, 256)) + tuple(
    f"{XENC[1:-1]}aes{bits}-cbc" for bits in (128, 192, 256)
)
# PKCS #1 v1.5 is left out: with it, whoever can ask often enough decrypts what is not theirs.
_WRAPS = (f"{XENC[1:-1]}rsa-oaep-mgf1p", "http://www.w3.org/2009/xmlenc11#rsa-oaep")


def opened(
    config: SamlConfig, backend: Xmlsec, raw: bytes, encrypted: Element, root: Element
) -> tuple[bytes, Element]:
    """The document with the content of ``encrypted``, one of its elements, in the clear.

    :raises SsoRefused: ``saml_encryption`` or ``saml_algorithm``; also what any text of a stranger is refused for.
    """
    _check(encrypted, root)
    pairs = [config.keys, *([config.previous] if config.previous else [])]
    text = decrypted(backend, raw, pairs, within=encrypted.tag)
    if text is None:
        raise SsoRefused(Reason.SAML_ENCRYPTION)
    # What was inside is a stranger's text like any other.
    return text, parse(text)


def name_element(config: SamlConfig, backend: Xmlsec, raw: bytes, root: Element, parent: Element) -> Element | None:
    """The ``NameID`` of a subject or a sign-out, opened where it was encrypted; ``None`` without one.

    The document's signature has to hold already: it covers the name as it was encrypted.

    :raises SsoRefused: also for two names.
    """
    plain, hidden = only(parent, f"{SAML}NameID"), only(parent, ENCRYPTED_ID)
    if hidden is None:
        return plain
    # The program opens the first of that name: another one, in a part that nobody signed, must not come before.
    if plain is not None or len(list(every(root, ENCRYPTED_ID))) != 1:
        raise SsoRefused(Reason.SAML_WRAPPED, "two names of one person")
    _, clear = opened(config, backend, raw, hidden, root)
    places = list(every(clear, ENCRYPTED_ID))
    inside = [child for place in places for child in place if child.tag != f"{XENC}EncryptedKey"]
    if len(places) != 1 or len(inside) != 1 or inside[0].tag != f"{SAML}NameID":
        what = ", ".join(local(child.tag)[:40] for child in inside[:3])
        raise SsoRefused(Reason.SAML_ENCRYPTION, f"what was encrypted is no NameID: {what or 'nothing'}")
    return inside[0]


def _check(encrypted: Element, root: Element) -> None:
    if len(encrypted.findall(f"{XENC}EncryptedData")) != 1 or len(list(every(encrypted, f"{XENC}EncryptedData"))) != 1:
        raise SsoRefused(Reason.SAML_WRAPPED, "not one encrypted part")
    if any(True for _ in every(root, f"{XENC}CipherReference")):
        raise SsoRefused(Reason.SAML_ENCRYPTION, "a reference in place of the encrypted text")
    for each in every(encrypted, f"{DS}RetrievalMethod"):
        if not str(each.get("URI")).startswith("#") or len(each):
            raise SsoRefused(Reason.SAML_ENCRYPTION, "a key that is elsewhere")
    for tag, known in ((f"{XENC}EncryptedData", _CIPHERS), (f"{XENC}EncryptedKey", _WRAPS)):
        for each in every(root, tag):
            method = each.find(f"{XENC}EncryptionMethod")
            name = None if method is None else method.get("Algorithm")
            if name not in known:
                raise SsoRefused(Reason.SAML_ALGORITHM, f"encrypted by {name!r:.80}")
