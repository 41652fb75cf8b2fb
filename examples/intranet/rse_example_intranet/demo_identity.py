"""Who is asking, in the demo: one of ten accounts, named in a signed cookie."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any

from rse_core.api import Identity, IdentitySource, Manifest, NotificationTransport, Plugin, hookimpl
from rse_core.i18n import Text
from rse_example_intranet.demo_guard import Permit, is_local_request
from rse_example_intranet.demo_mail import MailFolder
from rse_example_intranet.texts import lazy

COOKIE = "rse_demo_account"
ISSUER = "demo"


@dataclass(frozen=True)
class Account:
    """One of the demo's accounts; ``note`` says what there is to see with it."""

    username: str
    note: Text


ACCOUNTS = (
    Account("helene.dupont", lazy("an entity that comments")),
    Account("guenole.treguer", lazy("an entity that only reacts")),
    Account("chloe.bremond", lazy("an entity that is informed; comments open at a date")),
    Account("maelle.quintin", lazy("the same entity, but an ambassador: a higher level, and the pilot’s figures")),
    Account("awa.diallo", lazy("an entity under a ceiling")),
    Account("ghislaine.thevenet", lazy("manages an entity of the pilot: sees how it goes, in figures")),
    Account("emma.nguyen", lazy("reads in English")),
    Account("zoe.bourguignon", lazy("an entity that collaborates: posts, joins communities")),
    Account("naima.elamrani", lazy("moderates")),
    Account("solene.kerbrat", lazy("administers the site and moves the cursor")),
)
DEFAULT = ACCOUNTS[0].username
KNOWN = frozenset(account.username for account in ACCOUNTS)


class DemoIdentity(IdentitySource):
    """The demo's identity source; can only be made with a :class:`Permit`."""

    name = "demo"

    def __init__(self, permit: Permit) -> None:
        if not isinstance(permit, Permit):
            raise TypeError("DemoIdentity needs the Permit that rse demo was given")
        self._key = permit.key

    def cookie_value(self, username: str) -> str:
        """Return the cookie that makes its bearer ``username``.

        :raises KeyError: for somebody who is not one of the demo's accounts.
        """
        if username not in KNOWN:
            raise KeyError(username)
        return f"{username}:{self._signature(username)}"

    def username(self, environ: Mapping[str, Any]) -> str | None:
        """Return who asks: a genuine cookie's account, else the first; None for a request from outside."""
        if not is_local_request(environ):
            return None
        try:
            morsel = SimpleCookie(str(environ.get("HTTP_COOKIE", ""))).get(COOKIE)
        except CookieError:
            morsel = None
        username, _, signature = (morsel.value if morsel else "").partition(":")
        genuine = hmac.compare_digest(signature.encode(), self._signature(username).encode())
        return username if genuine and username in KNOWN else DEFAULT

    def identify(self, environ: Mapping[str, Any]) -> Identity | None:
        """See :class:`rse_core.api.IdentitySource`."""
        username = self.username(environ)
        return None if username is None else Identity(ISSUER, username, username=username)

    def login_url(self, return_to: str) -> str | None:
        """There is no sign-in: somebody is always signed in."""
        return None

    def logout_url(self, return_to: str) -> str | None:
        """There is no sign-out either."""
        return None

    def _signature(self, username: str) -> str:
        return hmac.new(self._key, username.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


class DemoPlugin(Plugin):
    """Brings the demo's identity source and its mails into the core; handed over as an object, under no entry point."""

    manifest = Manifest(
        name="demo",
        label=lazy("Demo accounts"),
        description=lazy("Change the person who looks."),
        kind="adapter",
    )

    def __init__(self, source: DemoIdentity, mails: MailFolder) -> None:
        self._source, self._mails = source, mails

    @hookimpl
    def rse_notification_transports(self) -> Iterable[NotificationTransport]:
        return [self._mails.transport]

    @hookimpl(tryfirst=True)
    def rse_identity_source(self) -> IdentitySource | None:
        return self._source
