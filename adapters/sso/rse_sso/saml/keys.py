"""RSE's own key pairs and the provider's certificates, looked at once."""

from __future__ import annotations

import base64
import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

if TYPE_CHECKING:
    from .config import KeyPair

WEAK = 2048
"""Bits that an RSA key must have at least."""


def check_pair(pair: KeyPair) -> str | None:
    """What is wrong with a pair, or ``None``."""
    try:
        key = load_pem_private_key(Path(pair.key).read_bytes(), None)
    except (OSError, ValueError, TypeError):
        return "names no PEM file of a private key without a password"
    try:
        certificate = load_certificate(pair.certificate)
    except (OSError, ValueError):
        return "stands beside a certificate_file that is no PEM certificate"
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < WEAK:
        return f"is no RSA key of {WEAK} bits or more"
    if certificate.public_key() != key.public_key():
        return "is not the key of the certificate beside it"
    return None


def load_certificate(file: str) -> x509.Certificate:
    """The first certificate of a PEM file.

    :raises OSError: when it cannot be read.
    :raises ValueError: when it holds none.
    """
    return x509.load_pem_x509_certificate(Path(file).read_bytes())


def certificate_of(text: str) -> x509.Certificate:
    """A certificate as it stands in metadata: base64 with white space, no armour.

    :raises ValueError: when it is none, or its key is too weak to be believed.
    """
    found = x509.load_der_x509_certificate(base64.b64decode(re.sub(r"\s+", "", text), validate=True))
    key = found.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < WEAK:
        raise ValueError(f"an RSA key of {key.key_size} bits")
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise ValueError("neither RSA nor EC")
    return found


def pem(certificate: x509.Certificate) -> bytes:
    """The certificate in the form that xmlsec1 reads."""
    return certificate.public_bytes(Encoding.PEM)


def body(file: str) -> str:
    """The certificate of a file as metadata holds it."""
    return "".join(pem(load_certificate(file)).decode().strip().splitlines()[1:-1])


def ends_at(certificate: x509.Certificate) -> dt.datetime:
    """When it runs out. Metadata vouches for the key; the date is a reminder, not a rule."""
    return certificate.not_valid_after_utc
