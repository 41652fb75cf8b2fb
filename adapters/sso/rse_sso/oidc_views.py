"""``/rse/oidc/…``: to the provider, back from it, and its word that somebody signed out."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core import sessions
from rse_core.webapi import csrf_exempt, session_write

from . import attempts
from .messages import as_page
from .oidc_flow import OidcFlow
from .pages import begin_session, private, refused
from .reasons import Reason, SsoRefused
from .return_to import safe_return_to

HINT = "rse_oidc_hint"
"""The cookie that keeps the ID token for the sign-out, and is sent to nothing else."""

_MAX_HINT = 3600


def add_routes(blueprint: Blueprint, flow: OidcFlow) -> None:
    """The routes, and the sign-out's memory."""

    @blueprint.get("/oidc/start")
    def oidc_start() -> BaseResponse:
        try:
            begun = flow.begin(safe_return_to(request.args.get("return_to"), f"{request.script_root}/"))
        except SsoRefused as refusal:
            raise as_page(refused(refusal, flow.config.issuer)) from None
        answer = redirect(begun.url, 303)
        attempts.keep(answer, request, "oidc", begun.state, begun.kept, path=_path())
        return private(answer)

    @blueprint.get("/oidc/callback")
    def oidc_callback() -> BaseResponse:
        try:
            return private(_enter(flow))
        except SsoRefused as refusal:
            raise as_page(refused(refusal, flow.config.issuer)) from None

    @blueprint.post("/oidc/backchannel-logout")
    # The token that is posted is signed by the provider.
    @csrf_exempt
    def oidc_backchannel() -> BaseResponse:
        try:
            subject, sid = flow.logout(request.form.get("logout_token", ""))
        except SsoRefused as refusal:
            refused(refusal, flow.config.issuer)
            status = 503 if refusal.reason in (Reason.PROVIDER_DOWN, Reason.NONCE_STORE) else 400
            return private(Response('{"error": "invalid_request"}', status, mimetype="application/json"))
        with session_write() as session:
            count = sessions.end(session, issuer=flow.config.issuer, subject=subject, sid=sid)
        current_app.logger.info("A sign-out at %s ended %d sessions.", flow.config.issuer, count)
        return private(Response(status=200))

    blueprint.before_app_request(_remember_hint)
    blueprint.after_app_request(_drop_hint)


def sign_out_url(flow: OidcFlow) -> str | None:
    """Where the provider's own sign-out is, for the sign-out that is being answered."""
    hint = g.get("rse_sso_hint")
    if hint is None and not g.get("rse_sso_by_oidc"):
        return None
    root = flow.config.redirect_uri.removesuffix("/oidc/callback")
    return flow.end_session_url(hint or None, f"{root}/")


def _enter(flow: OidcFlow) -> BaseResponse:
    names = ("state", "code", "error", "iss")
    answer = {name: request.args[name] for name in names if name in request.args}
    if any(len(request.args.getlist(name)) > 1 for name in names):
        raise SsoRefused(Reason.OIDC_MALFORMED, "a parameter came twice")
    state = answer.get("state", "")
    kept = attempts.recall(request, "oidc", state)
    found = flow.finish(answer, kept)
    begin_session(found.identity, found.sid)
    leave = redirect(safe_return_to(kept["return_to"], f"{request.script_root}/"), 303)
    attempts.drop(leave, state, path=_path())
    # Too long for a cookie, it is left out: the provider then asks the person.
    leave.set_cookie(
        HINT, found.id_token if len(found.id_token) <= _MAX_HINT else "-", path=_sign_out_path(), httponly=True,
        samesite="Lax", secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
        max_age=int(current_app.permanent_session_lifetime.total_seconds()),
    )  # fmt: skip
    return leave


def _remember_hint() -> None:
    if request.endpoint == "rse_core.leave" and HINT in request.cookies:
        value = request.cookies[HINT]
        g.rse_sso_by_oidc, g.rse_sso_hint = True, value if value.count(".") == 2 else ""


def _drop_hint(answer: Response) -> Response:
    if g.get("rse_sso_by_oidc"):
        answer.delete_cookie(HINT, path=_sign_out_path())
    return answer


def _sign_out_path() -> str:
    return url_for("rse_core.leave")


def _path() -> str:
    return url_for("rse_sso.oidc_callback").removesuffix("/callback")
