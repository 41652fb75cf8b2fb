"""``/rse/cas/…``: to the server, back from it, and its word that somebody signed out."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core import sessions
from rse_core.webapi import csrf_exempt, current_identity, session_write

from . import attempts
from .cas_ticket import STATE, CasServer, parse_logout, session_index
from .messages import as_page
from .pages import begin_session, private, refused
from .reasons import Reason, SsoRefused
from .return_to import safe_return_to


def add_routes(blueprint: Blueprint, server: CasServer) -> None:
    """The routes, and the sign-out's memory."""

    @blueprint.get("/cas/start")
    def cas_start() -> BaseResponse:
        state = attempts.new_state()
        kept = {"return_to": safe_return_to(request.args.get("return_to"), f"{request.script_root}/")}
        answer = redirect(server.login_url(state), 303)
        attempts.keep(answer, request, "cas", state, kept, path=_path())
        return private(answer)

    @blueprint.get("/cas/callback")
    def cas_callback() -> BaseResponse:
        try:
            return private(_enter(server))
        except SsoRefused as refusal:
            raise as_page(refused(refusal, server.config.issuer)) from None

    if server.config.single_logout:
        # The server posts to the address that it gave the ticket to. What authenticates it is the ticket, which it alone
        # and RSE have seen.
        @blueprint.post("/cas/callback")
        @csrf_exempt
        def cas_logout() -> BaseResponse:
            return private(_end(server))

    def remember() -> None:
        if request.endpoint == "rse_core.leave":
            identity = current_identity()
            g.rse_sso_by_cas = identity is not None and identity.issuer == server.config.issuer

    blueprint.before_app_request(remember)


def sign_out_url(server: CasServer) -> str | None:
    """Where the server's own sign-out is, for the sign-out that is being answered."""
    return server.logout_url() if g.get("rse_sso_by_cas") else None


def _enter(server: CasServer) -> BaseResponse:
    state = request.args.get(STATE, "")
    if len(request.args.getlist("ticket")) > 1 or len(request.args.getlist(STATE)) > 1:
        raise SsoRefused(Reason.CAS_TICKET, "a parameter came twice")
    kept = attempts.recall(request, "cas", state)
    ticket = request.args.get("ticket", "")
    if ticket or not server.config.gateway:
        identity = server.accept(ticket, state)
        begin_session(identity, session_index(ticket))
    leave = redirect(safe_return_to(kept["return_to"], f"{request.script_root}/"), 303)
    attempts.drop(leave, state, path=_path())
    return leave


def _end(server: CasServer) -> BaseResponse:
    try:
        ticket = parse_logout(request.form.get("logoutRequest", ""))
    except SsoRefused as refusal:
        refused(refusal, server.config.issuer)
        return Response(status=400)
    with session_write() as session:
        count = sessions.end(session, issuer=server.config.issuer, sid=session_index(ticket))
    current_app.logger.info("A sign-out at %s ended %d sessions.", server.config.issuer, count)
    # The same answer for a ticket that is known and for one that is not.
    return Response(status=200)


def _path() -> str:
    return url_for("rse_sso.cas_callback").removesuffix("/callback")
