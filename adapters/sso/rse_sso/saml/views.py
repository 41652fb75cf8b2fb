"""``/rse/saml/…``: to the provider, back from it, RSE's own metadata, and sign-out both ways."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response as BaseResponse

from rse_core.webapi import csrf_exempt, current_identity, session_write

from .. import attempts
from ..messages import as_page
from ..pages import begin_session, private, refused
from ..reasons import Reason, SsoRefused
from ..return_to import safe_return_to
from . import indexes
from .bindings import REQUEST, RESPONSE, Form, read_query, unpacked
from .flow import SamlFlow, SignedIn
from .logout import Message
from .own import TYPE, own_metadata
from .response import NameId, read

HINT = "rse_saml_hint"
"""The cookie that keeps the provider's name of the person and the session for the sign-out; it is sent to nothing else."""

_MAX_HINT = 3000
_BUSY = (Reason.PROVIDER_DOWN, Reason.NONCE_STORE)


def add_routes(blueprint: Blueprint, flow: SamlFlow) -> None:
    """The routes, and the sign-out's memory."""

    @blueprint.get("/saml/start")
    def saml_start() -> BaseResponse:
        try:
            begun = flow.begin()
        except SsoRefused as refusal:
            raise as_page(refused(refusal, flow.config.issuer)) from None
        kept = {"return_to": safe_return_to(request.args.get("return_to"), f"{request.script_root}/")}
        answer = _go(begun.way)
        # The provider posts from its own site, and then browsers send a cookie only when it is told to travel.
        attempts.keep(answer, request, "saml", begun.identifier, kept, path=_path(), cross_site=True)
        return private(answer)

    @blueprint.post("/saml/acs")
    # The assertion that is posted is signed by the provider and belongs to an attempt of this browser.
    @csrf_exempt
    def saml_acs() -> BaseResponse:
        try:
            return private(_enter(flow))
        except SsoRefused as refusal:
            raise as_page(refused(refusal, flow.config.issuer), posted=True) from None

    @blueprint.get("/saml/metadata")
    def saml_metadata() -> BaseResponse:
        return Response(own_metadata(flow.config, flow.backend), mimetype=TYPE)

    @blueprint.route("/saml/logout", methods=["GET", "POST"])
    # Both ways carry the provider's signature.
    @csrf_exempt
    def saml_logout() -> BaseResponse:
        try:
            return private(_signed_out(flow))
        except SsoRefused as refusal:
            raise as_page(refused(refusal, flow.config.issuer), posted=True) from None

    @blueprint.post("/saml/logout/soap")
    @csrf_exempt
    def saml_soap() -> BaseResponse:
        try:
            message = flow.logouts.from_soap(request.get_data())
            _end(flow, message)
            return private(Response(flow.answer_soap(message.id), mimetype="text/xml"))
        except SsoRefused as refusal:
            refused(refusal, flow.config.issuer)
            return private(Response(status=503 if refusal.reason in _BUSY else 400))

    blueprint.before_app_request(lambda: _remember_hint(flow.config.issuer))
    blueprint.after_app_request(_drop_hint)


def sign_out_url(flow: SamlFlow) -> str | None:
    """Where the provider's own sign-out is, for the sign-out that is being answered."""
    hint = g.get("rse_sso_saml_hint")
    return None if hint is None else flow.sign_out(*hint)


def _enter(flow: SamlFlow) -> BaseResponse:
    fields = request.form.getlist(RESPONSE)
    if len(fields) != 1:
        raise SsoRefused(Reason.SAML_MALFORMED, "not one SAMLResponse")
    answer = read(unpacked(fields[0]))
    attempt = answer.in_response_to
    if attempt is not None:
        kept = attempts.recall(request, "saml", attempt)
        back = kept["return_to"]
    elif flow.config.allow_unsolicited:
        back = request.form.get("RelayState", "")
    else:
        # Before anything is verified: nobody may keep the server busy with what it will refuse.
        raise SsoRefused(Reason.SAML_UNSOLICITED)
    found = flow.finish(answer, attempt)
    begin_session(found.identity, found.sid, found.until)
    leave = redirect(safe_return_to(back, f"{request.script_root}/"), 303)
    if attempt is not None:
        attempts.drop(leave, attempt, path=_path())
    _keep_hint(leave, found)
    return leave


def _signed_out(flow: SamlFlow) -> BaseResponse:
    if request.method == "GET":
        query = read_query(request.query_string)
        field, relay_state, message = query.field, query.relay_state, flow.logouts.from_query(query)
    else:
        found = [(name, value) for name in (REQUEST, RESPONSE) for value in request.form.getlist(name)]
        if len(found) != 1:
            raise SsoRefused(Reason.SAML_MALFORMED, "not one message in the form")
        field, relay_state = found[0][0], request.form.get("RelayState")
        message = flow.logouts.from_form(unpacked(found[0][1]), field)
    if field == RESPONSE:
        # The session here was over before the person went there.
        if not flow.logouts.succeeded(message):
            current_app.logger.warning("The provider %s did not sign the person out.", flow.config.issuer)
        return redirect(f"{request.script_root}/", 303)
    _end(flow, message)
    return _go(flow.answer_sign_out(message.id, relay_state))


def _end(flow: SamlFlow, message: Message) -> None:
    found = flow.signed_out(message)
    with session_write() as session:
        count = indexes.end(session, flow.config.issuer, found.name_id, found.indexes)
    current_app.logger.info("A sign-out at %s ended %d sessions.", flow.config.issuer, count)


def _go(way: str | Form) -> BaseResponse:
    if isinstance(way, str):
        return redirect(way, 303)
    return Response(render_template("rse/sso/saml_post.html", form=way))


def _keep_hint(answer: BaseResponse, found: SignedIn) -> None:
    name = found.name_id
    text = _serializer().dumps([name.value, name.format, name.qualifier, name.sp_qualifier, found.index])
    if len(text) > _MAX_HINT:
        return
    answer.set_cookie(
        HINT, str(text), path=url_for("rse_core.leave"), httponly=True, samesite="Lax",
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
        max_age=int(current_app.permanent_session_lifetime.total_seconds()),
    )  # fmt: skip


def _remember_hint(issuer: str) -> None:
    if request.endpoint != "rse_core.leave" or HINT not in request.cookies:
        return
    g.rse_sso_by_saml = True
    identity = current_identity()
    if identity is None or identity.issuer != issuer:
        # A cookie of another day: the person has come in by another way since.
        return
    try:
        value, format_, qualifier, sp_qualifier, index = _serializer().loads(request.cookies[HINT])
        g.rse_sso_saml_hint = NameId(value, format_, qualifier, sp_qualifier), index
    except (BadSignature, ValueError, TypeError):
        return


def _drop_hint(answer: Response) -> Response:
    if g.get("rse_sso_by_saml"):
        answer.delete_cookie(HINT, path=url_for("rse_core.leave"))
    return answer


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="rse-sso-saml-hint")


def _path() -> str:
    return url_for("rse_sso.saml_acs").removesuffix("/acs")
