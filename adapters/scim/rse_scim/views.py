"""``/rse/scim/v2/…``: everything below it is the protocol's, errors too."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, json, request
from scim2_models import InvalidValueException, SCIMException
from scim2_server.requests import ScimRequest
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge

from rse_core.api import Core, DirectoryFault
from rse_core.directory_pushes import note
from rse_core.webapi import core, csrf_exempt, own_rate

from .config import SOURCE, Config
from .errors import TooLarge
from .gate import Caller, Gate
from .handler import Handler, Service
from .i18n import _
from .quirks import mended, mended_query
from .schemas import provider_of
from .storage import RseStorage

if TYPE_CHECKING:
    from scim2_server.responses import ScimResponse

logger = logging.getLogger("rse.scim")

ROOT = "/scim/v2"
#: Refusals that say nothing about the data.
_NO_FAULT = frozenset({304, 401, 403, 404, 405, 412, 415})


def make_blueprint(config: Config) -> Blueprint:
    """The one route, closed over the configuration that the plugin read."""
    blueprint = Blueprint("rse_scim", __name__, url_prefix=ROOT)
    service = Service(provider_of(config))

    @blueprint.route("", defaults={"path": ""}, methods=["GET", "POST", "PUT", "PATCH", "DELETE"], strict_slashes=False)
    @blueprint.route("/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    # A token authenticates each request, and is counted by itself.
    @csrf_exempt
    @own_rate
    def serve(path: str) -> Response:
        return Serving(config, service, core(), path).answer()

    return blueprint


class Serving:
    """One request, from the token to the answer."""

    def __init__(self, config: Config, service: Service, core: Core, path: str) -> None:
        self.config, self.service, self.core, self.path = config, service, core, path
        self.method = "GET" if request.method == "HEAD" else request.method
        self.base_url = config.base_url or f"{request.host_url.rstrip('/')}{request.script_root}{ROOT}"
        self.writing = self.method != "GET" and not path.rstrip("/").lower().endswith(".search")

    def answer(self) -> Response:
        """The answer; no exception leaves it."""
        caller: Caller | None = None
        faults: list[tuple[str, SCIMException]] = []
        try:
            caller = self._gate().admit(request.headers.get("Authorization", ""))
            handler = self._handler(caller)
            response = handler.handle(self._request())
            faults = handler.faults
        except SCIMException as error:
            if error.status not in _NO_FAULT:
                faults = [(f"{self.method} {self.path}", error)]
            response = self.service.error_response(error)
        except Exception as error:  # isolation point: the provider must be told in its own format
            logger.exception("an unexpected error on %s %s", self.method, self.path)
            response = self.service.error_response(error)
        if caller is not None and faults and self.writing:
            self._note(caller, faults)
        return _flask(response)

    def _gate(self) -> Gate:
        found = current_app.extensions.get("rse_scim_gate")
        if found is None:
            found = current_app.extensions["rse_scim_gate"] = Gate(self.core, self.config.rate)
        gate: Gate = found
        return gate

    def _handler(self, caller: Caller) -> Handler:
        storage = RseStorage(
            self.core, self.service.provider, self.config, caller.actor, base_url=self.base_url, writing=self.writing
        )
        return Handler(self.service, storage)

    def _request(self) -> ScimRequest:
        body = mended(self.method, self.path, self._body())
        query = mended_query(request.args.to_dict())
        return ScimRequest(self.method, self.base_url, f"/{self.path}", query, list(request.headers.items()), body)

    def _body(self) -> bytes:
        request.max_content_length = self.config.max_body
        try:
            return request.get_data(cache=False)
        except RequestEntityTooLarge:
            raise TooLarge(
                detail=_("The request is larger than %(count)s bytes.", count=self.config.max_body)
            ) from None
        except (ClientDisconnected, HTTPException) as error:
            raise InvalidValueException(detail=_("The request broke off.")) from error

    def _note(self, caller: Caller, faults: list[tuple[str, SCIMException]]) -> None:
        """What was refused stands with the run, where administrators look; that it cannot be noted changes no answer."""
        try:
            with self.core.db.write() as session:
                for where, error in faults:
                    # The path is the sender's own text, and may hold what no database keeps.
                    place, what = _kept(where), _kept(str(error.detail))
                    fault = DirectoryFault(place[:200], error.scim_type or str(error.status), what[:1_000])
                    note(session, SOURCE, actor=caller.actor, fault=fault)
        except SQLAlchemyError:
            logger.exception("what was refused could not be noted")


def _kept(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "")


def _flask(response: ScimResponse) -> Response:
    body = b"" if response.body is None else json.dumps(response.body).encode()
    answer = Response(body, int(response.status), headers=response.headers)
    if response.body is None:
        answer.headers.pop("Content-Type", None)
    answer.headers["Cache-Control"] = "private, no-store" if response.status >= 400 else "private, no-cache"
    return answer
