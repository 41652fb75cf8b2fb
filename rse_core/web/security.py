"""Headers that every answer carries, and the size of what may be sent."""

from __future__ import annotations

from flask import Flask, Response, request

from .csrf import allowed_origins


def register(app: Flask) -> None:
    """Install the headers."""
    app.after_request(add_headers)


def content_security_policy() -> str:
    """Nothing but our own files; no inline script or style; framed by this origin and the intranet's alone."""
    ancestors = " ".join(["'self'", *sorted(allowed_origins())])
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
    )


def add_headers(answer: Response) -> Response:
    """Set what is missing; a view that set its own keeps it."""
    headers = answer.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    if answer.mimetype == "text/html":
        headers.setdefault("Content-Security-Policy", content_security_policy())
        headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if "Cache-Control" not in headers and request.endpoint and not request.endpoint.endswith("static"):
        headers["Cache-Control"] = "private, no-cache"
    return answer
