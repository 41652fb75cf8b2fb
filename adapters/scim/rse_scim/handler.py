"""The server of the protocol: the library's, with groups patched without reading their members."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, cast

from scim2_models import (
    URI,
    Context,
    ListResponse,
    PatchOp,
    Reference,
    Resource,
    ResourceType,
    SCIMException,
    SearchRequest,
)
from scim2_server.conditions import Conditions
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.service import ScimService
from scim2_server.storage import SearchPage

from .errors import TooManyRequests
from .steps import steps_of
from .storage import RseStorage


class Service(ScimService):
    """The steps of the protocol; a refusal for a while says for how long.

    The storage makes each resource anew, with its references written out: it need not be copied before it is shown, and a
    page of them need not be read again before it is sent. That is two thirds of what a page costs.
    """

    def publish(self, base_url: str, resource: Resource[Any]) -> Resource[Any]:
        if resource.meta is not None and resource.id is not None:
            kind = self.get_resource_type_of(resource)
            resource.meta.location = Reference[URI](self.resource_location(base_url, kind, resource.id))
        return resource

    def search_response(
        self, base_url: str, resource_types: list[ResourceType], page: SearchPage, search_request: SearchRequest[Any]
    ) -> ScimResponse:
        shown = [
            self.publish(base_url, resource).model_dump(
                scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=search_request
            )
            for resource in page.resources
        ]
        body = {
            "schemas": [str(ListResponse.__schema__)], "totalResults": page.total, "itemsPerPage": len(shown),
            "startIndex": search_request.start_index, "Resources": shown,
        }  # fmt: skip
        return ScimResponse(HTTPStatus.OK, body)

    def error_response(self, exception: Exception) -> ScimResponse:
        response = super().error_response(exception)
        if isinstance(exception, TooManyRequests):
            response.headers["Retry-After"] = str(exception.retry_after)
        return response


class Handler(ScimHandler):
    """One request.

    :ivar faults: what was refused inside a bulk request: (method and path, error).
    """

    def __init__(self, service: ScimService, storage: RseStorage) -> None:
        super().__init__(service, storage)
        self.faults: list[tuple[str, SCIMException]] = []
        self._shown_whole = False

    def patch(self, request: ScimRequest) -> ScimResponse:
        # Who asks for attributes in the answer may ask for the members.
        self._shown_whole = bool({"attributes", "excludedAttributes"} & request.query.keys())
        return super().patch(request)

    def patch_resource(
        self, resource_type: ResourceType, resource_id: str, patch_op: PatchOp[Any], conditions: Conditions
    ) -> Resource[Any]:
        steps = None
        if resource_type.name == "Group" and not self._shown_whole:
            steps = steps_of(patch_op, resource_id)
        if steps is None:
            return super().patch_resource(resource_type, resource_id, patch_op, conditions)
        storage = cast("RseStorage", self.storage)
        self.service.check_preconditions(storage.group_without_members(resource_id), "PATCH", conditions)
        return storage.change_group(resource_id, steps)

    def run_bulk_step(self, request: ScimRequest, plan: Any, step: Any) -> tuple[dict[str, Any], Resource[Any] | None]:
        outcome, resource = super().run_bulk_step(request, plan, step)
        if outcome["status"] >= 400:
            operation, error = plan.operation(step), outcome["response"]
            self.faults.append((f"{operation.method} {operation.path}", SCIMException.from_error(error)))
        return outcome, resource
