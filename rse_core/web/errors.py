"""Errors as people and programs can use them: a page that says what happened, what was kept and what to do, or
``application/problem+json`` (RFC 9457) for the API and for the script in the legacy page.
"""

from __future__ import annotations

import http
import json
import logging
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, make_response, render_template, request
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException, InternalServerError

from ..decision import Reason
from ..errors import BadInput, Conflict, Forbidden, RseError, SignInNeeded, TooMany
from ..i18n import _
from ..identity import IdentityRefused
from .charters import SHOWN, TICKED, boxes_for
from .csrf import FIELD, CsrfRefused, csrf_token
from .fragments import wants_fragment
from .returns import safe_return_to
from .state import core

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

log = logging.getLogger("rse.web")
PROBLEM = "application/problem+json"


def register(app: Flask) -> None:
    """Install the handlers."""
    app.register_error_handler(RseError, on_rse_error)
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(DataError, on_data_error)


def on_rse_error(error: RseError) -> BaseResponse:
    """An error that RSE raised on purpose: its text is for the person."""
    status = error.status
    if status >= 500:
        log.error("%s: %s", error.code, error)
    extra: dict[str, Any] = {"code": error.code}
    headers: dict[str, str] = {}
    if isinstance(error, IdentityRefused):
        log.warning("an identity was refused: %s", error.code)
    if isinstance(error, Forbidden) and error.decision is not None:
        decision = error.decision.as_dict()
        # The rules that were looked at name people; ``rse explain`` and the resource ``decisions`` show them.
        decision.pop("trail")
        asks = error.decision.reason is Reason.CHARTER and request.method == "POST"
        if asks and not request.files and not wants_problem():
            extra["charter"] = boxes_for(error.decision)
        extra.update(reason=decision["reason"], opens_at=decision["opens_at"], decision=decision)
    if isinstance(error, BadInput) and error.fields:
        extra["errors"] = error.fields
    if isinstance(error, Conflict) and error.current is not None:
        extra["current"] = error.current
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, SignInNeeded):
        headers["WWW-Authenticate"] = "RSE"
        extra["login_url"] = login_url()
    if isinstance(error, IdentityRefused) and not error.shows_what_was_sent:
        g.rse_sent_is_private = True
    resend = _may_resend(error) or bool(extra.get("charter"))
    return _answer(status, error.message, error.remedy, extra, headers, resend=resend)


def on_data_error(error: DataError) -> BaseResponse:
    """What PostgreSQL refuses in a text: one character, which nobody can type and a program can send, anywhere. Every other
    error of that kind is a fault of ours, and stays one."""
    if "NUL (0x00)" not in str(error.orig):
        raise error
    sentence = _("What was sent holds a character that no text can hold (NUL).")
    return on_rse_error(BadInput(sentence, remedy=_("Leave it out, then send it again.")))


def on_http_error(error: HTTPException) -> BaseResponse:
    """What Flask or Werkzeug raised; its headers (``Allow``, ``Location``) are kept."""
    if error.response is not None:
        return make_response(error.response)
    status = error.code or 500
    if status < 400:
        return make_response(error.get_response())
    if isinstance(error, InternalServerError) and error.original_exception is not None:
        log.error("unexpected error on %s", request.path, exc_info=error.original_exception)
    headers = {name: value for name, value in error.get_headers() if name.lower() not in ("content-type",)}
    if status == 429:
        headers.setdefault("Retry-After", "60")
    extra: dict[str, Any] = {"code": _code(status)}
    # webargs and flask-smorest leave what was wrong with each field here.
    data = getattr(error, "data", None) or {}
    fields = data.get("errors") or data.get("messages")
    if fields:
        extra["errors"] = fields
    headers.update(data.get("headers") or {})
    message, remedy = _explain(status)
    return _answer(status, data.get("message") or message, remedy, extra, headers, resend=False)


def login_url() -> str | None:
    """Where the person can sign in again and come back; None when no adapter says."""
    source = core().plugins.identity_source()
    if source is None:
        return None
    back = safe_return_to(_asked_return()) or safe_return_to(request.referrer)
    if back is None:
        back = request.script_root + request.full_path.rstrip("?") if request.method == "GET" else request.script_root
    try:
        return source.login_url(back)
    except Exception:
        log.exception("the identity source could not give a sign-in address")
        return None


def _sent() -> list[tuple[str, str]]:
    """What a form sent; nothing when it is no person's writing, or too large or garbled to be read, maybe the very error."""
    if request.method != "POST" or g.get("rse_sent_is_private"):
        return []
    try:
        return list(request.form.items(multi=True))
    except HTTPException:
        return []


def _asked_return() -> str | None:
    return dict(_sent()).get("return_to") or request.args.get("return_to")


def wants_problem() -> bool:
    """Answer with JSON: the API, the script in the page, or a client that prefers JSON to HTML."""
    if request.path.startswith("/api/") or request.path.startswith("/embed/slots") or wants_fragment():
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json", PROBLEM])
    return best in ("application/json", PROBLEM) and not request.accept_mimetypes["text/html"]


def _answer(
    status: int,
    message: str,
    remedy: str | None,
    extra: dict[str, Any],
    headers: dict[str, str],
    *,
    resend: bool,
) -> BaseResponse:
    title = _title(status)
    answer: BaseResponse
    if wants_problem():
        body = {"type": "about:blank", "title": title, "status": status, "detail": str(message), **extra}
        if remedy:
            body["remedy"] = str(remedy)
        answer = Response(json.dumps(body, ensure_ascii=False, default=str), status, content_type=PROBLEM)
        if wants_fragment():
            answer.headers["X-RSE-CSRF"] = csrf_token()
    else:
        answer = make_response(_page(status, title, message, remedy, extra, resend), status)
    answer.headers.update(headers)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _page(status: int, title: str, message: str, remedy: str | None, extra: dict[str, Any], resend: bool) -> str:
    kept = [(k, v) for k, v in _sent() if k not in (FIELD, "return_to", SHOWN, TICKED)]
    back = safe_return_to(_asked_return()) or safe_return_to(request.referrer)
    g.rse_return_to = back
    return render_template(
        "rse/error.html",
        status=status,
        title=title,
        message=message,
        remedy=remedy,
        errors=extra.get("errors") if isinstance(extra.get("errors"), dict) else {},
        login_url=extra.get("login_url"),
        kept=[(k, v) for k, v in kept if len(v) > 40 or "\n" in v] if not resend else [],
        fields=kept if resend else [],
        action=request.script_root + request.full_path.rstrip("?"),
        charter=extra.get("charter", ""),
        back=back,
    )


def _may_resend(error: RseError) -> bool:
    return isinstance(error, CsrfRefused) and error.may_resend and not request.files


def _code(status: int) -> str:
    try:
        return http.HTTPStatus(status).name.lower()
    except ValueError:
        return "error"


def _title(status: int) -> str:
    titles = {
        400: _("The request could not be read"),
        401: _("Sign in to go on"),
        403: _("This is not open to you"),
        404: _("This page does not exist"),
        405: _("This address does not do that"),
        409: _("This has changed meanwhile"),
        413: _("This is too large"),
        415: _("This format cannot be read"),
        422: _("Something needs correcting"),
        429: _("Too many at once"),
        503: _("Not available for the moment"),
    }
    return titles.get(status) or (_("Something failed on our side") if status >= 500 else _("This was refused"))


def _explain(status: int) -> tuple[str, str | None]:
    found: dict[int, tuple[str, str | None]] = {
        400: (_("What was sent is incomplete or garbled."), _("Go back, reload the page and send it again.")),
        404: (
            _("Nothing stands at this address, or nothing that you may see."),
            _("Check the address, or go back to where you came from."),
        ),
        405: (_("The address exists, but not for this kind of request."), None),
        413: (
            _(
                "What you sent is larger than this site accepts (%(most)s KB).",
                most=(request.max_content_length or 0) // 1024,
            ),
            _("Shorten it and send it again."),
        ),
        415: (_("The API reads JSON."), _("Send Content-Type: application/json.")),
        422: (_("Some of what was sent cannot be taken."), _("See the fields named, correct them and send it again.")),
        429: (_("You have sent many requests in a short time."), _("Wait a minute and go on.")),
    }  # fmt: skip
    if status in found:
        return found[status]
    if status >= 500:
        return (
            _("Nothing that was saved before is lost. The error has been recorded."),
            _("Try again in a moment; if it goes on, tell the administrators of the intranet."),
        )
    return _("The request was refused."), None
