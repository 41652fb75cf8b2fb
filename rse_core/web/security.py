"""Headers that every answer carries, and the size of what may be sent."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request

from .csrf import allowed_origins
from .state import core


def register(app: Flask) -> None:
    """Install the headers."""
    app.after_request(add_headers)


def content_security_policy() -> str:
    """Nothing but our own files; no inline script or style; framed by this origin and the intranet's alone.

    In the intranet's look, also what its stylesheets, scripts, pictures and fonts come from (``layout_sources``); still no
    inline script.
    """
    ancestors = " ".join(["'self'", *sorted(allowed_origins())])
    frame = g.get("rse_layout")
    theme = current_app.extensions.get("rse_theme")
    more = "".join(f" {origin}" for origin in core().settings.layout_sources) if frame is not None else ""
    styles = more
    if theme is not None and theme.address.startswith("http"):
        parts = urlsplit(theme.address)
        styles += f" {parts.scheme}://{parts.netloc}"
    attributes = " style-src-attr 'unsafe-inline';" if frame is not None and frame.attributes else ""
    leaving = "".join(f" {origin}" for origin in _sign_out_origins())
    return (
        f"default-src 'none'; script-src 'self'{more}; style-src 'self'{styles};{attributes} img-src 'self' data:{more}; "
        f"font-src 'self'{more}; connect-src 'self'; form-action 'self'{leaving}; base-uri 'none'; "
        f"frame-ancestors {ancestors}"
    )


def _sign_out_origins() -> tuple[str, ...]:
    """Where the sign-out's form is sent on to: browsers hold ``form-action`` against redirects as well."""
    source = core().plugins.identity_source()
    return tuple(getattr(source, "sign_out_origins", ()))


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
