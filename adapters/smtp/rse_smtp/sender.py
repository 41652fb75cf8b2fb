"""Sending by SMTP: one connection for many mails, and what each answer of a server means for the message.

=====================================  ===============================================================================
the server is away, slow, or busy      the message waits, and that is no failure of it (``TooMany``)
4xx for this mail                      it is tried again later, and counts as an attempt
5xx for the recipient                  it is undeliverable, and the address is noted
5xx for the content                    it is undeliverable; the address is not to blame
refusal of our name or password        it waits: every mail would fail alike, and the health check says why
=====================================  ===============================================================================
"""

from __future__ import annotations

import contextlib
import logging
import math
import smtplib
import ssl
import threading
import time
from collections.abc import Iterator

from rse_core.api import OutgoingMessage, RseError, TooMany, Undeliverable, translator

from .config import Config
from .mime import build

_ = translator(__file__, "rse_smtp").gettext
log = logging.getLogger("rse.smtp")
#: Seconds to wait for a server that is away, and for one that refuses us.
AWAY, REFUSED = 60, 300
#: A connection that was not used for so long (seconds) is asked whether it still stands.
IDLE = 2.0
#: Mails by one connection; many servers end it at a hundred.
MOST = 80
#: Waiting for one's turn under a rate is done here up to so many seconds; longer waits give the worker back.
PATIENCE = 5.0
_BUSY = frozenset({421, 450, 451, 452, 454})


class Sender:
    """One for each process; safe to share between threads, which then take turns."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._lock = threading.Lock()
        self._server: smtplib.SMTP | None = None
        self._used, self._sent, self._next = 0.0, 0, 0.0

    def send(self, message: OutgoingMessage) -> None:
        """Send one message.

        :raises TooMany: when it is to wait; :raises Undeliverable: when it can never arrive;
        :raises RseError: when it failed and may be tried again.
        """
        mail = build(self.config, message)
        recipient = mail["To"].addresses[0].addr_spec
        with self._lock:
            self._take_turn()
            server = self._connected()
            try:
                server.send_message(mail, self.config.envelope, [recipient], mail_options=("SMTPUTF8",) if
                                    not recipient.isascii() else ())  # fmt: skip
            except (smtplib.SMTPException, OSError) as error:
                self._drop()
                raise _meaning(error) from error
            self._used, self._sent = time.monotonic(), self._sent + 1
            if self._sent >= MOST:
                self._drop()

    def check(self) -> None:
        """Connect, and sign in where that is set, without sending anything.

        :raises RseError: says what the server answered.
        """
        with self._lock:
            self._drop()
            self._connected()
            self._drop()

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            self._drop()

    def _take_turn(self) -> None:
        if not self.config.rate:
            return
        wait = self._next - time.monotonic()
        if wait > PATIENCE:
            raise TooMany(_("The mail server takes so many mails in a minute and no more."), retry_after=math.ceil(wait))
        if wait > 0:
            time.sleep(wait)
        self._next = max(self._next, time.monotonic()) + 60.0 / self.config.rate

    def _connected(self) -> smtplib.SMTP:
        if self._server is not None and time.monotonic() - self._used > IDLE:
            try:
                if self._server.noop()[0] != 250:
                    self._drop()
            except (smtplib.SMTPException, OSError):
                self._drop()
        if self._server is None:
            try:
                self._server = self._connect()
            except smtplib.SMTPAuthenticationError as error:
                raise TooMany(
                    _("The mail server refuses the name or the password: %(answer)s", answer=_answer(error)),
                    retry_after=REFUSED,
                ) from error
            except (smtplib.SMTPException, OSError) as error:
                message = _("The mail server does not answer as it should: %(answer)s", answer=_answer(error))
                log.warning("%s:%s: %s", self.config.host, self.config.port, error)
                raise TooMany(message, retry_after=AWAY) from error
            self._sent = 0
        self._used = time.monotonic()
        return self._server

    def _connect(self) -> smtplib.SMTP:
        config = self.config
        context = ssl.create_default_context(cafile=config.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        server: smtplib.SMTP
        if config.security == "tls":
            server = smtplib.SMTP_SSL(config.host, config.port, timeout=config.timeout, context=context)
        else:
            server = smtplib.SMTP(config.host, config.port, timeout=config.timeout)
        with _closing_on_error(server):
            if config.security == "starttls":
                server.starttls(context=context)
            if config.user:
                server.login(config.user, config.password)
            server.ehlo_or_helo_if_needed()
        return server

    def _drop(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        try:
            server.quit()
        except (smtplib.SMTPException, OSError):
            server.close()


@contextlib.contextmanager
def _closing_on_error(server: smtplib.SMTP) -> Iterator[None]:
    try:
        yield
    except BaseException:
        server.close()
        raise


def _meaning(error: Exception) -> RseError:
    """What a failure says of the message."""
    answer = _answer(error)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = max((refusal[0] for refusal in error.recipients.values()), default=450)
        if code >= 500:
            return Undeliverable(_("The mail server refuses this address: %(answer)s", answer=answer))
        return RseError(_("The mail server does not take it at present: %(answer)s", answer=answer))
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Undeliverable(_("The mail server cannot write to this address: %(answer)s", answer=answer))
    if isinstance(error, smtplib.SMTPSenderRefused):
        # It is we who are refused: every mail would be.
        return TooMany(_("The mail server refuses our address: %(answer)s", answer=answer), retry_after=REFUSED)
    if isinstance(error, smtplib.SMTPResponseException):
        if error.smtp_code >= 500:
            return Undeliverable(_("The mail server refuses this mail: %(answer)s", answer=answer), address=False)
        if error.smtp_code in _BUSY:
            return RseError(_("The mail server does not take it at present: %(answer)s", answer=answer))
        return RseError(_("The mail server does not answer as it should: %(answer)s", answer=answer))
    return RseError(_("The mail server went away: %(answer)s", answer=answer))


def _answer(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        texts = [f"{code} {text.decode('utf-8', 'replace')}" for code, text in error.recipients.values()]
        return "; ".join(texts)[:300]
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        return f"{error.smtp_code} {said}"[:300]
    return (str(error) or type(error).__name__)[:300]
