"""The API: flask-smorest without its catch-all error handler, OpenAPI 3.1, and a first check of every call."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import marshmallow as ma
from flask import Flask, Response, jsonify, request
from flask_smorest import Api, Blueprint
from werkzeug.exceptions import UnsupportedMediaType

from .. import __version__
from .auth import require_scope

if TYPE_CHECKING:
    from ..extension import RSE

logger = logging.getLogger(__name__)

BASE = "/api/v1"
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class ProblemSchema(ma.Schema):
    """RFC 9457, with the members that RSE adds."""

    type = ma.fields.String(metadata={"description": "about:blank: the status says what it is"})
    title = ma.fields.String(metadata={"description": "what happened, in a few words, in the caller's language"})
    status = ma.fields.Integer()
    detail = ma.fields.String(metadata={"description": "a sentence for the person"})
    remedy = ma.fields.String(metadata={"description": "what to do about it"})
    code = ma.fields.String(metadata={"description": "stable: forbidden, not_found, bad_input, conflict …"})
    reason = ma.fields.String(metadata={"description": "of a refusal: level, role, charter, suspended …"})
    opens_at = ma.fields.String(allow_none=True, metadata={"description": "when a dated level will allow it"})
    decision = ma.fields.Dict(metadata={"description": "the decision, without its trail"})
    errors = ma.fields.Dict(metadata={"description": "field → what is wrong with it"})
    login_url = ma.fields.String(allow_none=True, metadata={"description": "where to sign in again"})


class RseApi(Api):  # type: ignore[misc]
    """Errors are the application's: one shape of problem, headers kept (smorest's handler would drop ``Allow``).

    What describes the resources is made when somebody asks for it: it takes longer than all the rest of a start.
    """

    ERROR_SCHEMA = ProblemSchema
    strict = False

    def __init__(self, *args: Any, **values: Any) -> None:
        self._undescribed: list[tuple[Blueprint, str]] = []
        self._has_responses = False
        self._describing = threading.Lock()
        super().__init__(*args, **values)

    def _register_responses(self) -> None:
        """Left to :meth:`describe`."""

    def _register_error_handlers(self) -> None:
        """None of its own: see :mod:`rse_core.web.errors`."""

    def register_blueprint(self, blp: Blueprint, *, parameters: Any = None, **options: Any) -> None:
        """Mount the resources; they are described by :meth:`describe`."""
        name = options.get("name", blp.name)
        self._app.extensions["flask-smorest"]["blp_name_to_api"][name] = self
        self._app.register_blueprint(blp, **options)
        self._undescribed.append((blp, name))

    def describe(self, *, strict: bool = False) -> dict[str, Any]:
        """The OpenAPI document. Resources that cannot be described are left out and named in the log.

        :param strict: raise instead.
        """
        with self._describing:
            if not self._has_responses:
                super()._register_responses()
                self._has_responses = True
            while self._undescribed:
                blueprint, name = self._undescribed[0]
                try:
                    blueprint.register_views_in_doc(self, self._app, self.spec, name=name, parameters=None)
                    self.spec.tag({"name": name, "description": blueprint.description})
                except Exception:
                    if strict:
                        raise
                    logger.exception("the resources of %s cannot be described", name)
                self._undescribed.pop(0)
            document: dict[str, Any] = self.spec.to_dict()
        return document

    def _openapi_json(self) -> Response:
        return jsonify(self.describe(strict=self.strict))


def mount_api(app: Flask, rse: RSE) -> None:
    """Register the core's resources and the plugins', below ``api/v1``."""
    from .resources import blueprints

    app.config.update(
        API_TITLE=rse.core.settings.site_name or "RSE",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=BASE,
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = RseApi(app, spec_kwargs={"servers": [{"url": rse.core.settings.url_prefix}]})
    api.strict = rse.core.settings.strict
    api.spec.components.security_scheme(
        "token", {"type": "http", "scheme": "bearer", "description": "made by rse token create"}
    )
    api.spec.components.security_scheme(
        "session", {"type": "apiKey", "in": "cookie", "name": rse.core.settings.session_cookie}
    )
    api.spec.options["security"] = [{"token": []}, {"session": []}]
    for blueprint in blueprints:
        _register(app, api, blueprint)
    for plugin, blueprint in rse.core.plugins.rest_blueprints:
        try:
            _register(app, api, blueprint)
        except Exception as error:
            if rse.core.settings.strict:
                raise
            rse.core.plugins.quarantine(
                plugin, f"The API of “{plugin}” cannot be mounted: {error}.", "Report it to its author."
            )


def _register(app: Flask, api: RseApi, blueprint: Blueprint) -> None:
    api.register_blueprint(blueprint, url_prefix=BASE + (blueprint.url_prefix or ""))
    # For the blueprint alone: the rules of the API are no business of the pages. Written into the application, since a
    # blueprint that has been tried elsewhere (at the plugin's start, in another application) takes no more functions.
    checks = app.before_request_funcs.setdefault(blueprint.name, [])
    if check_call not in checks:
        checks.append(check_call)


def check_call() -> None:
    """Scopes by method, and JSON only for what writes: a form of another site cannot be JSON.

    :raises Forbidden: for a token without the scope.
    """
    if request.method not in UNSAFE:
        require_scope("read")
        return
    require_scope("write")
    from ..web.files import takes_files

    if takes_files() and request.mimetype == "multipart/form-data":
        # The token in the header or the form has been checked, as of any form.
        return
    if request.content_length and not request.is_json:
        raise UnsupportedMediaType()
