"""The mails of the demo: each is a file in its folder, which a mail program opens; none leaves the machine."""

from __future__ import annotations

import hashlib
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from rse_core.api import NotificationTransport, OutgoingMessage, utcnow
from rse_example_intranet.texts import lazy

SENDER = Address("Assurance publique", "intranet", "assurance-publique.example")


class MailFolder:
    """Keeps mails as files.

    :param folder: made when the first one comes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def transport(self) -> NotificationTransport:
        """How the core hands mails over."""
        return NotificationTransport("mail", lazy("E-mail"), self.keep)

    def keep(self, message: OutgoingMessage) -> None:
        """Write one mail; the same one a second time replaces itself."""
        mail = EmailMessage()
        mail["From"] = SENDER
        mail["To"] = Address(message.name, addr_spec=message.address)
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(utcnow())
        for name, value in message.headers.items():
            mail[name] = value
        mail.set_content(message.text)
        mail.add_alternative(message.html, subtype="html")
        self.folder.mkdir(exist_ok=True)
        name = hashlib.blake2b(message.key.encode(), digest_size=6).hexdigest()
        (self.folder / f"{message.address.partition('@')[0]}-{name}.eml").write_bytes(mail.as_bytes())
