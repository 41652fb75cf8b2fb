"""WSGI entry points.

* ``gunicorn rse_core.wsgi:application``: RSE alone, below its prefix, behind the intranet's web server.
* :func:`mount`: RSE beside any WSGI application (Django, Plone, Flask) in the same process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from .runtime import Core

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_made: dict[str, WSGIApplication] = {}


def mount(wsgi_app: WSGIApplication, *, core: Core | None = None, **overrides: Any) -> WSGIApplication:
    """The same application, with RSE answering below ``settings.url_prefix``.

    .. code-block:: python

        application = mount(get_wsgi_application())       # in a Django project's wsgi.py

    :param core: a running core; None makes one from ``rse.toml`` and the environment.
    :param overrides: settings, by name.
    """
    from .extension import RSE

    running = core or Core.from_environment(**overrides)
    app = RSE(core=running).app
    mounted: WSGIApplication = DispatcherMiddleware(wsgi_app, {running.settings.url_prefix: app.wsgi_app})
    return mounted


def make_application(*, streams: int = 0, made: Callable[[Core], object] | None = None) -> WSGIApplication:
    """RSE alone, from ``rse.toml`` and the environment; the database must be up to date.

    :param streams: as :class:`~rse_core.extension.RSE` takes it.
    :param made: told of the core.

    :raises RseError: says to run ``rse init`` or ``rse upgrade``.
    """
    from .extension import RSE

    core = Core.from_environment()
    core.check_database()
    if made is not None:
        made(core)
    application: WSGIApplication = RSE(core=core, streams=streams).app
    return application


def __getattr__(name: str) -> Any:
    # Made on demand: importing this module for ``mount`` must not open a database.
    if name != "application":
        raise AttributeError(name)
    if name not in _made:
        _made[name] = make_application()
    return _made[name]
