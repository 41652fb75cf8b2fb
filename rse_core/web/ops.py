"""For those who watch the machine: alive, ready, metrics."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from ..errors import Forbidden
from ..health import readiness
from ..i18n import _
from ..rest.auth import bearer_text
from ..tokens import find_token
from .state import core, rse, session_read

blueprint = Blueprint("rse_ops", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return Response("ok\n", content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """The site can serve: database, migrations, quarantined plugins, age of the oldest job."""
    report = readiness(core())
    answer = jsonify(report.as_dict())
    answer.headers["Cache-Control"] = "no-store"
    return answer, 200 if report.ready else 503


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus: for this machine, or with a token that has the scope ``metrics``.

    A request that a proxy passed on comes from elsewhere, whatever the proxy's own address is.
    """
    if not _is_local() and not _has_token():
        raise Forbidden(
            _("The metrics are for this machine, or for a token with the scope “metrics”."),
            remedy=_("Scrape the server's own port, or send Authorization: Bearer."),
        )
    return Response(
        rse().metrics.text(),
        content_type="text/plain; version=0.0.4; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )


def _is_local() -> bool:
    passed_on = any(request.headers.get(name) for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"))
    return request.remote_addr in ("127.0.0.1", "::1") and not passed_on


def _has_token() -> bool:
    text = bearer_text()
    if text is None:
        return False
    with session_read() as session:
        token = find_token(session, text)
    return token is not None and "metrics" in token.scopes.split()
