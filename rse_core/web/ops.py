"""For those who watch the machine: alive, ready, metrics."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from ..health import readiness
from .state import core

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
