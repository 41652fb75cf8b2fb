"""Coming and going: what a person does for themselves in a space, and their invitations."""

from __future__ import annotations

from collections.abc import Callable

from flask import request
from werkzeug.wrappers import Response as BaseResponse

from rse_core.webapi import session_read, session_write

from .. import access, entering, inviting, joining
from .base import KEPT, Refused, _, blueprint, done, frame, me, number, plain, refused
from .pages import shown


def _act(space: str, act: Callable[[], str]) -> BaseResponse:
    """Do what a form of the space's page asks; a refusal shows the page with what was typed."""
    try:
        message = act()
    except KEPT as error:
        no = refused(error)
        with session_read() as session:
            return shown(session, access.find(session, me(), space), no=no)
    return done(".space", message, space=space)


@blueprint.post("/<space>/join")
def join(space: str) -> BaseResponse:
    """Become a member, or ask to."""
    person_id = me()

    def act() -> str:
        with session_write() as session:
            seat = access.find(session, person_id, space)
            if seat.profile.join_policy == "request" and not seat.member:
                joining.ask(session, person_id, space, request.form.get("message", ""))
                return _("You asked to be let in. You are told of the answer.")
            joining.join(session, person_id, space)
        return _("You are a member now.")

    return _act(space, act)


@blueprint.post("/<space>/leave")
def leave(space: str) -> BaseResponse:
    """Be a member no longer."""
    person_id = me()

    def act() -> str:
        with session_write() as session:
            joining.leave(session, person_id, space)
        return _("You are no longer a member.")

    try:
        act()
    except KEPT as error:
        no = refused(error)
        with session_read() as session:
            return shown(session, access.find(session, person_id, space), no=no)
    # Whoever leaves a secret space does not see its page any more.
    return done(".directory", _("You are no longer a member."))


@blueprint.post("/<space>/withdraw")
def withdraw(space: str) -> BaseResponse:
    """Ask no longer to be let in."""
    person_id = me()

    def act() -> str:
        with session_write() as session:
            joining.take_back(session, person_id, space)
        return _("Your request was taken back.")

    return _act(space, act)


@blueprint.post("/<space>/hear")
def hear(space: str) -> BaseResponse:
    """What a member wants to be told of."""
    person_id = me()

    def act() -> str:
        with session_write() as session:
            joining.hear(session, person_id, space, request.form.get("notify", ""))
        return _("Your choice is remembered.")

    return _act(space, act)


@blueprint.post("/<space>/leave-entry")
def leave_entry(space: str) -> BaseResponse:
    """A site administrator leaves a private space before the hour is over."""
    person_id = me()
    with session_write() as session:
        access.require_site_admin(session, person_id)
        entering.leave(session, person_id, space)
    return done(".directory", _("You have left the space."))


@blueprint.get("/-/invitations")
def my_invitations() -> BaseResponse:
    """The invitations that wait for the person."""
    person_id = me()
    with session_read() as session:
        return plain("my_invitations", found=inviting.of_person(session, person_id))


@blueprint.post("/-/invitations/<int:invitation_id>")
def answer_invitation(invitation_id: int) -> BaseResponse:
    """Accept or decline."""
    person_id = me()
    try:
        with session_write() as session:
            if request.form.get("answer") == "accept":
                key = inviting.accept(session, person_id, invitation_id).space.key
                return done(".space", _("You are a member now."), space=key)
            inviting.decline(session, person_id, invitation_id)
    except KEPT as error:
        no = refused(error)
        with session_read() as session:
            return plain("my_invitations", no=no, found=inviting.of_person(session, person_id))
    return done(".my_invitations", _("The invitation was declined."))


@blueprint.route("/<space>/invitations", methods=["GET", "POST"])
def invitations(space: str) -> BaseResponse:
    """Invite people; what waits, to be sent again or taken back."""
    person_id = me()
    no: Refused | None = None
    if request.method == "POST":
        try:
            return done(".invitations", _invite(person_id, space), space=space)
        except KEPT as error:
            no = refused(error, request.form.get("act", ""))
    with session_read() as session:
        seat = access.inside(session, person_id, space)
        after = request.args.get("after", "")
        found, more = inviting.of_space(session, person_id, space, after=int(after) if after.isdecimal() else 0)
        return frame(session, seat, "invitations", no=no, found=found, more=more)


def _invite(person_id: int, space: str) -> str:
    act = request.form.get("act", "")
    with session_write() as session:
        if act == "again":
            inviting.again(session, person_id, space, number("invitation"))
            return _("The invitation was sent again.")
        if act == "revoke":
            inviting.revoke(session, person_id, space, number("invitation"))
            return _("The invitation was taken back.")
        inviting.invite(
            session, person_id, space, request.form.get("person", ""), role=request.form.get("role") or "member",
            message=request.form.get("message", ""),
        )  # fmt: skip
    return _("The invitation was sent.")
