"""A message as it goes over the wire: plain text and HTML, the headers of automatic mail, an identity that stays."""

from __future__ import annotations

import hashlib
import re
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any

from rse_core.api import OutgoingMessage, Undeliverable, translator, utcnow

from .addresses import BadAddress, check
from .config import Config

_ = translator(__file__, "rse_smtp").gettext
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}\Z")
#: Written in one piece: the library would encode an address that is longer than a line, and no mail program reads it then.
_WHOLE = frozenset({"list-unsubscribe", "list-unsubscribe-post", "message-id"})
#: What a plugin may not set.
_OURS = frozenset(
    {"from", "to", "cc", "bcc", "sender", "subject", "date", "message-id", "content-type", "content-transfer-encoding",
     "mime-version", "return-path", "reply-to", "received"}
)  # fmt: skip
MOST = 900


class _Wire(EmailPolicy):
    def fold(self, name: str, value: Any) -> str:
        if name.lower() in _WHOLE:
            return f"{name}: {value}{self.linesep}"
        return super().fold(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() in _WHOLE:
            return self.fold(name, value).encode("ascii")
        return super().fold_binary(name, value)


WIRE = _Wire(linesep="\r\n", cte_type="7bit", raise_on_defect=False)


def message_id(config: Config, key: str) -> str:
    """The same for the same message, whoever sends it and however often: by it a second copy is recognised."""
    digest = hashlib.blake2b(key.encode(), digest_size=18, person=b"rse-smtp").hexdigest()
    return f"<{digest}@{config.domain}>"


def build(config: Config, message: OutgoingMessage) -> EmailMessage:
    """The mail of a message.

    :raises Undeliverable: when its address or one of its headers cannot be written safely.
    """
    try:
        to = check(message.name, message.address)
    except BadAddress as error:
        raise Undeliverable(_("This is not an address that mail can be sent to.")) from error
    mail = EmailMessage(policy=WIRE)
    mail["From"] = config.sender
    mail["To"] = to
    mail["Subject"] = _one_line("Subject", message.subject)
    mail["Date"] = format_datetime(utcnow())
    mail["Message-ID"] = message_id(config, message.key)
    mail["Auto-Submitted"] = "auto-generated"
    mail["Precedence"] = "bulk"
    mail["X-Auto-Response-Suppress"] = "All"
    for name, value in message.headers.items():
        if not _NAME.match(name) or name.lower() in _OURS:
            raise Undeliverable(_("The header “%(name)s” cannot be set.", name=name[:40]), address=False)
        if name not in mail:
            mail[name] = _one_line(name, value)
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    # Last: making the parts takes every Content header along into the first.
    mail["Content-Language"] = _one_line("Content-Language", message.locale)
    return mail


def _one_line(name: str, value: str) -> str:
    plain = not value.isprintable() or len(value) > MOST or (name.lower() in _WHOLE and not value.isascii())
    if plain:
        raise Undeliverable(_("The header “%(name)s” cannot be set.", name=name), address=False)
    return value
