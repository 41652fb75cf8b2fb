"""An identity provider, pysaml2's own server side, that does each thing right until it is told not to."""

from __future__ import annotations

import base64
import datetime as dt
import re
import secrets
import shutil
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from lxml import etree
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, saml, samlp
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.sigver import CryptoBackendXmlSec1, pre_encryption_part, pre_signature_part

with warnings.catch_warnings():
    # The server side, which only these tests use, looks for ciphers that cryptography has moved.
    warnings.simplefilter("ignore")
    from saml2.server import Server

ISSUER = "https://idp.test/saml/metadata"
SIGN_IN, SIGN_OUT = "https://idp.test/saml/sso", "https://idp.test/saml/slo"
ACS = "http://localhost/rse/saml/acs"
ENTITY = "http://localhost/rse/saml/metadata"
HELENE = {"uid": "hdupont", "cn": "Hélène Dupont", "mail": "h.dupont@intranet.test", "entity": "CPAM du Finistère"}
SHA256, DIGEST256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmlenc#sha256"
SHA1, DIGEST1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1", "http://www.w3.org/2000/09/xmldsig#sha1"
ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion:Assertion"
RESPONSE = "urn:oasis:names:tc:SAML:2.0:protocol:Response"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
NS = {
    "s": "urn:oasis:names:tc:SAML:2.0:assertion", "p": "urn:oasis:names:tc:SAML:2.0:protocol",
    "d": "http://www.w3.org/2000/09/xmldsig#", "e": "http://www.w3.org/2001/04/xmlenc#",
}  # fmt: skip
GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
OAEP = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"


def make_pair(folder: Path, name: str, *, ends_in: int = 365, bits: int = 2048, curve: bool = False) -> tuple[str, str]:
    """Files of a key and its certificate."""
    key: Any = ec.generate_private_key(ec.SECP256R1()) if curve else rsa.generate_private_key(65537, bits)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=400))
        .not_valid_after(now + dt.timedelta(days=ends_in)).sign(key, hashes.SHA256())
    )  # fmt: skip
    key_file, certificate_file = folder / f"{name}.key", folder / f"{name}.crt"
    encoding = serialization.Encoding.PEM
    key_file.write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    )
    key_file.chmod(0o600)
    certificate_file.write_bytes(made.public_bytes(encoding))
    return str(key_file), str(certificate_file)


def stamp(seconds: float) -> str:
    """A moment so many seconds from now."""
    return (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


#: Still to come at the end of the longest run: tests are collected at its beginning.
TOMORROW = stamp(86_400)


@dataclass
class How:
    """How one answer is made; everything is right by default."""

    person: dict[str, str] = field(default_factory=lambda: dict(HELENE))
    name_id: str = "f3b9c2"
    name_format: str = PERSISTENT
    index: str = "index-1"
    sign_assertion: bool = True
    sign_response: bool = False
    key: str | None = None
    algorithm: str = SHA256
    digest: str = DIGEST256
    encrypt_to: str | None = None
    hide_to: str | None = None
    cipher: str = GCM
    wrap: str = OAEP
    change: Callable[[Any], None] = lambda response: None
    change_plain: Callable[[str], str] = lambda text: text
    change_last: Callable[[str], str] = lambda text: text
    irt: str | None = "asked"


class Provider:
    """One, with its keys and its metadata in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pair = make_pair(folder, "idp")
        self.file = folder / "idp.xml"
        self.sign_in, self.sign_out = SIGN_IN, SIGN_OUT
        self.xmlsec1 = shutil.which("xmlsec1") or "xmlsec1"
        self.backend = CryptoBackendXmlSec1(self.xmlsec1)
        self.write_metadata()
        self._server: Server | None = None

    def write_metadata(self, certificate: str | None = None, **changes: Any) -> str:
        text = str(entity_descriptor(self._conf(certificate or self.pair[1], **changes)))
        self.file.write_text(text)
        return text

    def _conf(self, certificate: str, metadata: str | None = None, entity: str = ISSUER) -> IdPConfig:
        endpoints = {
            "single_sign_on_service": [
                (self.sign_in, BINDING_HTTP_REDIRECT), (f"{self.sign_in}/post", BINDING_HTTP_POST),
            ],
            "single_logout_service": [(self.sign_out, BINDING_HTTP_REDIRECT), (self.sign_out, BINDING_HTTP_POST)],
        }  # fmt: skip
        conf: dict[str, Any] = {
            "entityid": entity, "key_file": self.pair[0], "cert_file": certificate, "xmlsec_binary": self.xmlsec1,
            "service": {
                "idp": {
                    "endpoints": endpoints, "want_authn_requests_signed": True,
                    "policy": {"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None}},
                }
            },
        }  # fmt: skip
        if metadata is not None:
            conf["metadata"] = {"inline": [metadata]}
        made = IdPConfig()
        made.load(conf)
        return made

    def meet(self, metadata: str) -> Server:
        """Take the site's metadata in, as an administrator of the provider does."""
        self._server = Server(config=self._conf(self.pair[1], metadata))
        return self._server

    def request(self, url: str) -> Any:
        """The request in an address, its signature verified by pysaml2's server side."""
        assert self._server is not None
        assert url.startswith(f"{self.sign_in}?"), url
        query = dict(parse_qsl(urlsplit(url).query))
        found = self._server.parse_authn_request(
            query["SAMLRequest"], BINDING_HTTP_REDIRECT, relay_state=query.get("RelayState"), sigalg=query["SigAlg"],
            signature=query["Signature"],
        )
        return found.message

    def posted_request(self, value: str) -> Any:
        """The request in a form, likewise."""
        assert self._server is not None
        return self._server.parse_authn_request(value, BINDING_HTTP_POST).message

    def answer(self, request: Any, **changes: Any) -> str:
        """What the browser posts to the site."""
        return base64.b64encode(self.xml(request, **changes).encode()).decode()

    def xml(self, request: Any, **changes: Any) -> str:
        assert self._server is not None
        how = How(**changes)
        name_id = saml.NameID(format=how.name_format, text=how.name_id)
        asked = request.id if how.irt == "asked" else how.irt
        response = self._server.create_authn_response(
            {}, asked, ACS, ENTITY, name_id=name_id, authn={"class_ref": saml.AUTHN_PASSWORD_PROTECTED}, sign_response=False,
            sign_assertion=False,
        )
        assertion = response.assertion
        assertion.authn_statement[0].session_index = how.index
        assertion.attribute_statement = [
            saml.AttributeStatement(
                attribute=[
                    saml.Attribute(name=name, attribute_value=[saml.AttributeValue(text=value)])
                    for name, value in how.person.items()
                ]
            )
        ]
        if asked is None:
            response.in_response_to = None
        how.change(response)
        key = how.key or self.pair[0]
        if how.sign_assertion:
            assertion.signature = pre_signature_part(assertion.id, None, None, how.digest, how.algorithm)
        if how.sign_response:
            response.signature = pre_signature_part(response.id, None, None, how.digest, how.algorithm)
        text = str(response)
        if how.hide_to:
            text = self.hidden(text, how.hide_to, how.cipher, how.wrap)
        if how.sign_assertion:
            text = self.backend.sign_statement(text, ASSERTION, key, assertion.id)
        text = how.change_plain(text)
        if how.encrypt_to:
            text = self._encrypted(text, how)
        if how.sign_response:
            text = self.backend.sign_statement(text, RESPONSE, key, response.id)
        return how.change_last(text)

    def _encrypted(self, text: str, how: How) -> str:
        root = etree.fromstring(text.encode())
        assertion = root.find("s:Assertion", NS)
        shell = etree.Element(f"{{{NS['s']}}}EncryptedAssertion")
        root.replace(assertion, shell)
        shell.append(assertion)
        return self._encrypt(root, how.encrypt_to, how.cipher, how.wrap, None)

    def hidden(self, text: str, to: str, cipher: str = GCM, wrap: str = OAEP) -> str:
        """The message with its person's name, or what stands in its place, encrypted."""
        root = etree.fromstring(text.encode())
        name = next(iter(root.xpath("//s:Subject/*[1] | //p:LogoutRequest/s:NameID", namespaces=NS)))
        shell = etree.Element(f"{{{NS['s']}}}EncryptedID")
        name.getparent().replace(name, shell)
        shell.append(name)
        return self._encrypt(root, to, cipher, wrap, "//*[local-name()='EncryptedID']/*")

    def _encrypt(self, root: Any, to: str | None, cipher: str, wrap: str, xpath: str | None) -> str:
        size = cipher.rpartition("aes")[2][:3] if "aes" in cipher else "192"
        # One prefix for one namespace, as providers write: xmlsec1 leaves a second one out when it opens what is around it.
        template = re.sub(r"\bns0\b", "xenc", str(pre_encryption_part(msg_enc=cipher, key_enc=wrap)))
        template = re.sub(r"\bns1\b", "ns2", template)
        kind = f"aes-{size}" if "aes" in cipher else "des-192"
        text = etree.tostring(root).decode()
        return str(self.backend.encrypt_assertion(text, to, template, key_type=kind, node_xpath=xpath))

    def logout_request(
        self, *, name_id: str = "f3b9c2", indexes: tuple[str, ...] = ("index-1",), **changes: Any
    ) -> samlp.LogoutRequest:
        made: dict[str, Any] = {
            "id": f"_{secrets.token_hex(16)}",
            "version": "2.0", "issue_instant": stamp(0), "destination": "http://localhost/rse/saml/logout",
            "issuer": saml.Issuer(text=ISSUER), "name_id": saml.NameID(text=name_id, format=PERSISTENT),
            "session_index": [samlp.SessionIndex(text=index) for index in indexes],
        }  # fmt: skip
        made |= changes
        return samlp.LogoutRequest(**made)

    def signed(
        self, message: Any, *, key: str | None = None, algorithm: str = SHA256,
        change: Callable[[str], str] = lambda text: text,
    ) -> str:  # fmt: skip
        """A message with an enveloped signature."""
        message.signature = pre_signature_part(message.id, None, None, DIGEST256, algorithm)
        node = f"urn:oasis:names:tc:SAML:2.0:protocol:{type(message).__name__}"
        return str(self.backend.sign_statement(change(str(message)), node, key or self.pair[0], message.id))

    def query(
        self, message: Any, field: str = "SAMLRequest", *, relay_state: str | None = None, key: str | None = None,
        algorithm: str = SHA256, change: Callable[[str], str] = lambda text: text,
    ) -> str:  # fmt: skip
        """A message in the query of a redirect."""
        made = zlib.compressobj(9, zlib.DEFLATED, -15)
        text = made.compress(change(str(message)).encode()) + made.flush()
        # Percent-encoding in lower case, as some providers write it: what was written is what is signed.
        parts = [f"{field}={lower(base64.b64encode(text).decode())}"]
        if relay_state is not None:
            parts.append(f"RelayState={lower(relay_state)}")
        parts.append(f"SigAlg={lower(algorithm)}")
        octets = "&".join(parts).encode()
        private: Any = serialization.load_pem_private_key(Path(key or self.pair[0]).read_bytes(), None)
        signature = private.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        return f"{octets.decode()}&Signature={lower(base64.b64encode(signature).decode())}"


def lower(text: str) -> str:
    return re.sub(r"%..", lambda found: found[0].lower(), quote(text, safe=""))
