"""The page ``/rse/handoff``, and the hand-off cookie on every other page."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from rse_core.webapi import csrf_exempt, current_identity, sign_in

from .handoff import FIELD, Handoff, log_refusal, peer_for_log
from .messages import as_page
from .reasons import Reason, SsoRefused
from .return_to import safe_return_to
from .source import COOKIE_DONE, SIGNED_IN, SsoSource, claims_identity
from .token import Claims


def make_blueprint(source: SsoSource) -> Blueprint:
    """The routes, closed over the configuration that the plugin read."""
    blueprint = Blueprint(
        "rse_sso", __name__, template_folder="templates", static_folder="static", static_url_path="/sso/static"
    )

    @blueprint.route("/handoff", methods=["GET", "POST"])
    # The token authenticates the request: it is signed, short-lived and serves once.
    @csrf_exempt
    def handoff() -> BaseResponse:
        if request.method == "HEAD" or _is_prefetch():
            # Mail scanners and browsers that look ahead must not use up the token.
            return _private(Response(status=204))
        try:
            return _private(_enter(source))
        except SsoRefused as refusal:
            raise as_page(refusal, posted=True) from None

    if source.config.handoff is not None and source.config.handoff.accept_cookie:
        blueprint.before_app_request(_begin_session_from_cookie)
        blueprint.after_app_request(_drop_cookie)
    return blueprint


def _enter(source: SsoSource) -> BaseResponse:
    options, handoff = source.config.handoff, source.handoff
    if options is None or handoff is None:
        raise _refused(Reason.HANDOFF_OFF)
    claims = _accept(handoff)
    if not options.allow_cross_site and request.headers.get("Sec-Fetch-Site") == "cross-site":
        # A foreign page that follows its own link would sign its visitor in as somebody else. The token is
        # used up before, so that no click on the page that refuses it can bring it back from this origin.
        raise _refused(Reason.HANDOFF_CROSS_SITE)
    if sign_in(claims_identity(claims)) is None:
        raise _refused(Reason.PERSON_UNKNOWN, f"issuer {claims.issuer}")
    asked = claims.return_to or request.values.get("return_to")
    return redirect(safe_return_to(asked, f"{request.script_root}/"), 303)


def _accept(handoff: Handoff) -> Claims:
    tokens = set(request.values.getlist(FIELD))
    if len(tokens) > 1:
        raise _refused(Reason.TOKEN_AMBIGUOUS)
    return handoff.accept(tokens.pop() if tokens else "", peer=peer_for_log(request.environ))


def _refused(reason: Reason, detail: str = "") -> SsoRefused:
    refusal = SsoRefused(reason, detail)
    log_refusal(refusal, peer_for_log(request.environ))
    return refusal


def _is_prefetch() -> bool:
    return "prefetch" in f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}".lower()


def _private(answer: BaseResponse) -> BaseResponse:
    answer.headers["Cache-Control"] = "no-store"
    # The address holds the token: it must not travel on as a referrer, even used up.
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _begin_session_from_cookie() -> None:
    if FIELD not in request.cookies or request.endpoint is None or _is_file():
        return
    current_identity()  # asks the source, which uses the cookie up
    identity = request.environ.get(SIGNED_IN)
    if identity is not None:
        sign_in(identity)


def _drop_cookie(answer: Response) -> Response:
    if request.environ.get(COOKIE_DONE):
        answer.delete_cookie(FIELD, path="/")
        answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _is_file() -> bool:
    # Files may be kept by shared caches, with whatever cookie came along.
    return request.path.endswith((".js", ".css", ".svg", ".png", ".woff2"))
