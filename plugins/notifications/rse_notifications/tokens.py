"""Addresses by which one stops a kind of mail without signing in (RFC 8058): signed with the site's key, for ever."""

from __future__ import annotations

from dataclasses import dataclass

from itsdangerous import BadData, URLSafeSerializer

from rse_core.api import Core, NotFound, translator

_ = translator(__file__, "rse_notifications").gettext
_SALT = "notifications.unsubscribe"
DIGESTS = ("daily", "weekly")


@dataclass(frozen=True, slots=True)
class Stop:
    """What somebody no longer wants: ``what`` is a type, or ``daily`` or ``weekly`` for that digest."""

    person_id: int
    channel: str
    what: str


def sign(core: Core, stop: Stop) -> str:
    """The last part of the address."""
    return str(URLSafeSerializer(core.settings.key(), _SALT).dumps([stop.person_id, stop.channel, stop.what]))


def read(core: Core, text: str) -> Stop:
    """:raises NotFound: for an address that was not made here."""
    try:
        person_id, channel, what = URLSafeSerializer(core.settings.key(), _SALT).loads(text)
        return Stop(int(person_id), str(channel), str(what))
    except (BadData, ValueError, TypeError):
        raise NotFound(
            _("This address is not complete."), remedy=_("Copy it whole from the mail, or change it in your preferences.")
        ) from None
