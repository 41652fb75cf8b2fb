"""Putting the Flask application together: configuration, order of the checks, blueprints, templates."""

from __future__ import annotations

import datetime as dt
import logging
import time
from typing import TYPE_CHECKING

from flask import Flask, g, request
from werkzeug.wrappers import Response

from ..identity import IdentityRefused
from . import (
    charters,
    csrf,
    errors,
    files,
    gates,
    identity,
    language,
    layout,
    limits,
    own_pages,
    security,
    templating,
    theme,
    viewing,
)
from .converters import RowNumber
from .prefix import PrefixMiddleware
from .state import rse

if TYPE_CHECKING:
    from ..extension import RSE

log = logging.getLogger("rse.web")
FOR_GOOD = "public, max-age=31536000, immutable"


def assemble(extension: RSE) -> Flask:
    """The application of one core."""
    app = Flask("rse_core", static_folder=None)
    app.url_map.converters["int"] = RowNumber
    _configure(app, extension)
    app.extensions["rse"] = extension
    errors.register(app)
    security.register(app)
    templating.register(app, extension)
    app.extensions["rse_layouts"] = layout.begin(extension.core.settings)
    app.extensions["rse_theme"] = theme.begin(extension.core.settings)
    app.before_request(before)
    # After it, in the order of registration: the cap counts people, and errors are told in their language.
    limits.register(app, extension.core.settings.rate_limit_storage)
    app.after_request(_cache_static)
    own_pages.register(app)
    app.after_request(_measure)
    app.teardown_request(_teardown)
    _mount(app, extension)
    prefix = extension.core.settings.url_prefix
    app.wsgi_app = PrefixMiddleware(app.wsgi_app, prefix)  # type: ignore[method-assign]
    extension.core.plugins.notify_ready(app)
    return app


def _configure(app: Flask, extension: RSE) -> None:
    settings = extension.core.settings
    app.config.update(
        SECRET_KEY=settings.key(),
        SESSION_COOKIE_NAME=settings.session_cookie,
        # The whole origin: an injector that fills the intranet's pages must know who reads them.
        SESSION_COOKIE_PATH="/",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=dt.timedelta(hours=settings.session_hours),
        MAX_CONTENT_LENGTH=settings.max_body,
        MAX_FORM_MEMORY_SIZE=settings.max_body,
        JSON_SORT_KEYS=False,
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]


def _mount(app: Flask, extension: RSE) -> None:
    from ..rest.api import mount_api
    from .admin import blueprint as admin
    from .embed import blueprint as embed
    from .files import blueprint as uploads
    from .handover import blueprint as leavers
    from .live import blueprint as live
    from .ops import blueprint as ops
    from .own_tokens import own_tokens  # noqa: F401  its pages join those of the core
    from .pages import blueprint as pages
    from .signed_sessions import own_sessions  # noqa: F401  its pages join those of the core

    for blueprint in (pages, embed, uploads, layout.blueprint, ops, live, admin, leavers):
        app.register_blueprint(blueprint)
    for plugin, blueprint in extension.core.plugins.blueprints:
        try:
            app.register_blueprint(blueprint)
        except Exception as error:
            # The manager has tried it alone; what fails only here must not cost the others their pages.
            extension.core.plugins.quarantine(plugin, f"“{plugin}” cannot be mounted: {error}", "Report it to its author.")
            log.exception("plugin %s: a blueprint could not be mounted", plugin)
    mount_api(app, extension)


def before() -> None:
    """Who asks, in what language, and whether the request may act: in this order, before every view."""
    g.rse_began = time.perf_counter()
    viewing.finish()
    rse().begin_background()
    if is_static():
        return
    from ..rest.auth import bearer

    refused: Exception | None = None
    try:
        bearer()
        identity.resolve()
    except IdentityRefused as error:
        refused = error
    language.begin()
    if refused is not None:
        raise refused
    # Now that it is known who asks, and before the check reads the form.
    files.raise_limit()
    viewing.follow()
    csrf.protect()
    gates.check()
    charters.accept_sent()


def is_static() -> bool:
    """The request is for a file or a probe: nobody needs to be known."""
    endpoint = request.endpoint or ""
    return endpoint.endswith(".static") or endpoint.startswith("rse_ops.")


def _cache_static(answer: Response) -> Response:
    if request.endpoint and request.endpoint.endswith(".static") and request.args.get("v") and answer.status_code == 200:
        answer.headers["Cache-Control"] = FOR_GOOD
    return answer


def _measure(answer: Response) -> Response:
    began = g.get("rse_began")
    if began is not None and not is_static():
        rse().metrics.note(request.endpoint or "none", request.method, answer.status_code, time.perf_counter() - began)
    return answer


def _teardown(_error: BaseException | None) -> None:
    language.end()
    viewing.finish()
