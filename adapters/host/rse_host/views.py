"""The one address of the adapter: ``/rse/embed.js``."""

from __future__ import annotations

from flask import Blueprint, Response, request

from .script import embed_script

LONG = "public, max-age=31536000, immutable"
SHORT = "public, max-age=300, stale-while-revalidate=86400"


def make_blueprint() -> Blueprint:
    """Return a new blueprint; its endpoint answers everyone alike, without a session."""
    blueprint = Blueprint("rse_host", __name__)

    @blueprint.get("/embed.js")
    def embed() -> Response:
        """The script; for good with ``?v=`` of its present version, else for five minutes."""
        script = embed_script()
        packed = "gzip" in request.headers.get("Accept-Encoding", "")
        answer = Response(script.packed if packed else script.body, content_type="text/javascript; charset=utf-8")
        if packed:
            answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Vary"] = "Accept-Encoding"
        answer.headers["Cache-Control"] = LONG if request.args.get("v") == script.version else SHORT
        answer.set_etag(script.version + ("-gz" if packed else ""))
        answer.make_conditional(request)
        return answer

    return blueprint
