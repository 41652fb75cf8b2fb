"""xmlsec1 through pysaml2, with an end to its patience; and the signatures of addresses, which are no XML."""

from __future__ import annotations

import base64
import functools
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from saml2.sigver import ENC_KEY_CLASS, CryptoBackendXmlSec1, SignatureError, XmlsecError

from ..reasons import Reason, SsoRefused
from .config import ALGORITHMS, KeyPair
from .keys import pem

PATIENCE = 10
"""Seconds that xmlsec1 may take for one message."""

_HASHES: dict[str, type[hashes.SHA256] | type[hashes.SHA384] | type[hashes.SHA512]] = {
    "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512,
}


class Xmlsec(CryptoBackendXmlSec1):  # type: ignore[misc]
    """pysaml2's way to call xmlsec1: one version look-up, a time limit, and no message in the log.

    :param binary: where the program is.
    """

    def __init__(self, binary: str) -> None:
        super().__init__(binary)

    @functools.cached_property
    def version(self) -> str:
        """As the program says."""
        done = subprocess.run([self.xmlsec, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603
        return [*done.stdout.split(" "), "0.0.0", "0.0.0"][1]

    def _run_xmlsec(self, com_list: list[str], extra_args: Sequence[str]) -> tuple[str, str, bytes]:
        with NamedTemporaryFile(suffix=".xml") as out:
            lax = ["--lax-key-search"] if self.version_nums >= (1, 3) else []
            command = [*com_list, "--output", out.name, *lax, *extra_args]
            try:
                done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)  # noqa: S603
            except subprocess.TimeoutExpired:
                raise XmlsecError("it took too long") from None
            if done.returncode != 0:
                raise XmlsecError(f"returncode={done.returncode}")
            said = [stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr)]
            return said[0], said[1], Path(out.name).read_bytes()

    def opened(self, document: bytes, key_file: str, node: str) -> bytes:
        """The document, the first encrypted part below the first element of that name in the clear.

        :raises XmlsecError: when the key does not open it.
        """
        with NamedTemporaryFile(suffix=".xml") as file:
            file.write(document)
            file.flush()
            options = ["--privkey-pem", key_file, "--id-attr:Id", ENC_KEY_CLASS, "--node-name", node]
            return self._run_xmlsec([self.xmlsec, "--decrypt", *options], [file.name])[2]


def verifies(backend: Xmlsec, document: bytes, node: str, identifier: str, certificates: Iterable[x509.Certificate]) -> bool:
    """Whether the element's enveloped signature is of one of these keys; its form was looked at before."""
    for certificate in certificates:
        with NamedTemporaryFile(suffix=".pem") as file:
            file.write(pem(certificate))
            file.flush()
            try:
                if backend.validate_signature(document, file.name, "pem", node, identifier):
                    return True
            except (SignatureError, XmlsecError):
                continue
    return False


def decrypted(backend: Xmlsec, document: bytes, keys: Iterable[KeyPair], *, within: str) -> bytes | None:
    """The document with an encrypted part in the clear; ``None`` when no key of ours opens it.

    :param within: the tag of the element that holds the part; the first one of that name is opened.
    """
    for pair in keys:
        try:
            return backend.opened(document, pair.key, within[1:].replace("}", ":"))
        except XmlsecError:
            continue
    return None


def signed(backend: Xmlsec, message: Any, node: str, pair: KeyPair) -> str:
    """A message of pysaml2's classes with its enveloped signature (RSA and SHA-256).

    :raises SsoRefused: ``saml_keys`` when RSE's own key does not serve.
    """
    from saml2.sigver import pre_signature_part

    from .keys import body

    message.signature = pre_signature_part(
        message.id, body(pair.certificate), sign_alg=ALGORITHMS["rsa-sha256"],
        digest_alg="http://www.w3.org/2001/04/xmlenc#sha256",
    )  # fmt: skip
    try:
        return str(backend.sign_statement(str(message), node, pair.key, message.id))
    except (SignatureError, XmlsecError):
        raise SsoRefused(Reason.SAML_KEYS, "RSE's own message could not be signed") from None


def sign_octets(octets: bytes, pair: KeyPair) -> str:
    """The signature of a query, in base64 (RSA and SHA-256)."""
    key = load_pem_private_key(Path(pair.key).read_bytes(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise SsoRefused(Reason.SAML_KEYS, "RSE's own key is no RSA key")
    return base64.b64encode(key.sign(octets, padding.PKCS1v15(), hashes.SHA256())).decode()


def verifies_octets(octets: bytes, signature: bytes, name: str, certificates: Iterable[x509.Certificate]) -> bool:
    """Whether a query was signed by one of these keys.

    :param name: the algorithm, as an administrator writes it.
    """
    kind, _, digest = name.partition("-")
    made = _HASHES[digest]()
    for certificate in certificates:
        key = certificate.public_key()
        try:
            if kind == "rsa" and isinstance(key, rsa.RSAPublicKey):
                key.verify(signature, octets, padding.PKCS1v15(), made)
                return True
            if kind == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(_der(signature), octets, ec.ECDSA(made))
                return True
        except (InvalidSignature, ValueError):
            continue
    return False


def _der(signature: bytes) -> bytes:
    # XML signatures write r and s one after the other; what else comes is taken to be DER already.
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    half = len(signature) // 2
    if len(signature) not in (64, 96, 132):
        return signature
    return encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
