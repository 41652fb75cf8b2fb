"""Who is asking: the identity port. Adapters implement it; the core keys people on (issuer, subject)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from .errors import RseError
from .i18n import Text


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody, as vouched for by an issuer. ``subject`` is stable there; never key on the e-mail address."""

    issuer: str
    subject: str
    username: str | None = None
    display_name: str | None = None
    email: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


class IdentityRefused(RseError):
    """The request brings an identity that must not be believed.

    :param code: stable reason for the log and tests (``expired``, ``replayed``, ``signature`` …).
    :param message: a sentence for the person.
    """

    status = 403

    #: Whether the page gives back what a form sent, as it does with a person's text. An adapter says no where the form is a
    #: token or a provider's message.
    shows_what_was_sent = True

    def __init__(self, message: Text, *, code: str, remedy: str | None = None) -> None:
        super().__init__(str(message), remedy=remedy)
        self.code = code


@runtime_checkable
class IdentitySource(Protocol):
    """Implemented by an adapter and contributed with ``rse_identity_source``."""

    name: str

    def identify(self, environ: Mapping[str, Any]) -> Identity | None:
        """The ambient identity of this request, None for nobody; raise :class:`IdentityRefused` to refuse with a page."""

    def login_url(self, return_to: str) -> str | None:
        """Where a person signs in (again); ``return_to`` is a path on this origin."""

    def logout_url(self, return_to: str) -> str | None:
        """Where a person signs out. A source that leads to other origins names them in ``sign_out_origins``."""
