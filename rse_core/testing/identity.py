"""Who asks in a test: an identity source that believes the test client, and nothing that comes over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..identity import Identity
from ..plugin import Manifest, Plugin, hookimpl

if TYPE_CHECKING:
    from werkzeug.test import Client

    from ..models.organisation import Person
    from ..runtime import Core

#: A WSGI key: no header of a request can set it.
ENVIRON_KEY = "rse_core.testing.person"


class KitSource:
    """Believes what :func:`as_person` wrote into the environment of the client."""

    name = "kit"

    def identify(self, environ: Mapping[str, Any]) -> Identity | None:
        """The identity of the person that the client acts as."""
        username = environ.get(ENVIRON_KEY)
        return Identity(issuer="kit", subject=username, username=username) if username else None

    def login_url(self, return_to: str) -> str | None:
        """There is no page to sign in at."""
        return None

    def logout_url(self, return_to: str) -> str | None:
        """Nor one to sign out at."""
        return None


class KitIdentity(Plugin):
    """Brings :class:`KitSource`, before any other source of identity."""

    manifest = Manifest("kit", "Test kit", "Signs in whoever the test names", kind="adapter")

    @hookimpl(tryfirst=True)
    def rse_identity_source(self) -> KitSource:
        """See :class:`KitSource`."""
        return KitSource()


def as_person(client: Client, person: Person | str | None) -> Client:
    """From now on, this client's requests are made by this person (or username); by nobody for None."""
    username = getattr(person, "username", person)
    base = dict(getattr(client, "environ_base", {}))
    if username is None:
        base.pop(ENVIRON_KEY, None)
    else:
        base[ENVIRON_KEY] = username
    client.environ_base = base  # type: ignore[attr-defined]
    return client


def browsers(core: Core, language: str = "en") -> Callable[[Person | str | None], Client]:
    """``browsers(core)(person)`` answers a new client of a site over ``core``: this person's, in this language.

    :param language: what the client sends as ``Accept-Language``.
    """
    from ..extension import create_app

    app = create_app(core)
    app.testing = True

    def browser(person: Person | str | None) -> Client:
        client = as_person(app.test_client(), person)
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language  # type: ignore[attr-defined]
        return client

    return browser
