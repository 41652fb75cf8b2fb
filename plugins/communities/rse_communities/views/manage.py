"""Running a space: what it says of itself, its sheet, rights, plugins, visibility and end."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response as BaseResponse

from rse_core import files
from rse_core.api import core_of
from rse_core.people import names
from rse_core.webapi import allow_files, session_read, session_write, take_files

from .. import access, changing, creating, figures, framing, grid, kinds
from .base import KEPT, Refused, _, blueprint, done, frame, me, refused, version


@blueprint.route("/<space>/manage/", methods=["GET", "POST"])
@allow_files
def manage(space: str) -> BaseResponse:
    """What the space says of itself."""
    person_id = me()
    no: Refused | None = None
    if request.method == "POST":
        try:
            taken = take_files("picture")
            if request.form.get("act") == "address":
                with session_write() as session:
                    key = creating.new_address(session, person_id, space)
                return done(".manage", _("The space has a new address; the former one leads to it."), space=key)
            fields = ("name", "purpose", "description", "rules", "kind", "join_policy", "notify", "contact", "deputy")
            with session_write() as session:
                seat = creating.change(
                    session, person_id, space, version=version(), picture=(taken.keys[-1:], taken.alts),
                    **{field: request.form[field] for field in fields if field in request.form},
                )  # fmt: skip
                key = seat.space.key
            return done(".manage", _("Saved."), space=key)
        except KEPT as error:
            no = refused(error)
    with session_read() as session:
        seat = access.managing(session, person_id, space, least="administers")
        people = names(session, [seat.profile.contact_id, seat.profile.deputy_id])

        def username(ident: int | None) -> str:
            return people[ident].username if ident is not None and ident in people else ""

        return frame(
            session, seat, "manage", no=no, contact=username(seat.profile.contact_id),
            deputy=username(seat.profile.deputy_id), pictures=files.of(session, [seat.ref]).get(seat.ref, []),
        )  # fmt: skip


@blueprint.route("/<space>/manage/sheet", methods=["GET", "POST"])
def manage_sheet(space: str) -> BaseResponse:
    """The framing sheet, and opening the space."""
    person_id = me()
    no: Refused | None = None
    if request.method == "POST":
        try:
            with session_write() as session:
                answers = {field: request.form[field] for field in framing.LABELS if field in request.form}
                framing.save(session, person_id, space, answers, version=version())
                if request.form.get("act") == "open":
                    framing.open_space(session, person_id, space)
            if request.form.get("act") == "open":
                return done(".space", _("The space is open."), space=space)
            return done(".manage_sheet", _("Saved."), space=space)
        except KEPT as error:
            no = refused(error)
    with session_read() as session:
        seat = access.managing(session, person_id, space, least="administers")
        contact = names(session, [seat.profile.contact_id]).get(seat.profile.contact_id or 0)
        sheet = framing.sheet_of(seat.profile, contact.username if contact else "")
        known = core_of(session).plugins.capabilities
        return frame(
            session, seat, "manage_sheet", no=no, sheet=sheet, framing=framing,
            absent={field for field, capability in framing.QUESTIONS.items() if capability not in known},
        )  # fmt: skip


@blueprint.route("/<space>/manage/rights", methods=["GET", "POST"])
def manage_rights(space: str) -> BaseResponse:
    """Who may do what, and why somebody can or cannot."""
    person_id = me()
    no: Refused | None = None
    if request.method == "POST":
        try:
            wanted = {name[4:]: value for name, value in request.form.items() if name.startswith("who.")}
            with session_write() as session:
                grid.change(session, person_id, space, wanted, version=version())
            return done(".manage_rights", _("Saved."), space=space)
        except KEPT as error:
            no = refused(error)
    asked = {name: request.args.get(name, "")[:200] for name in ("capability", "role", "person")}
    explained = None
    with session_read() as session:
        seat = access.managing(session, person_id, space)
        if asked["capability"]:
            try:
                explained = grid.explain(
                    session, person_id, space, asked["capability"], role=asked["role"], username=asked["person"]
                )
            except KEPT as error:
                no = Refused(error, asked, "explain")
        return frame(
            session, seat, "manage_rights", no=no, rows=grid.rows(session, seat), grid=grid, asked=asked,
            explained=explained,
        )  # fmt: skip


@blueprint.route("/<space>/manage/plugins", methods=["GET", "POST"])
def manage_plugins(space: str) -> BaseResponse:
    """Which plugins are on in the space, of those that the site leaves to choose."""
    person_id = me()
    if request.method == "POST":
        with session_write() as session:
            creating.switch_plugins(session, person_id, space, set(request.form.getlist("on")))
        return done(".manage_plugins", _("Saved."), space=space)
    with session_read() as session:
        seat = access.managing(session, person_id, space, least="administers")
        states = core_of(session).plugins.states
        return frame(
            session, seat, "manage_plugins", choosable=[states[name] for name in creating.choosable(session)],
            off=creating.switched_off(session, seat.space.id),
        )  # fmt: skip


@blueprint.get("/<space>/manage/figures")
def manage_figures(space: str) -> BaseResponse:
    """Numbers of the space, who hears of every post, and who looked in."""
    from .. import entering

    person_id = me()
    with session_read() as session:
        seat = access.managing(session, person_id, space)
        return frame(
            session, seat, "manage_figures", figures=figures.of_space(session, person_id, space),
            entries=entering.of_space(session, seat.space.id), whats=_labels(),
        )  # fmt: skip


def _labels() -> dict[str, str]:
    return {
        "posts": _("Posts"), "comments": _("Comments"), "reactions": _("Reactions"), "joined": _("New members"),
    }  # fmt: skip


@blueprint.route("/<space>/manage/visibility", methods=["GET", "POST"])
def manage_visibility(space: str) -> BaseResponse:
    """Who sees the space: first what a change would do, then the change."""
    person_id = me()
    no: Refused | None = None
    wanted = request.values.get("visibility", "")
    if request.method == "POST" and request.form.get("act") == "apply":
        try:
            with session_write() as session:
                changing.set_visibility(session, person_id, space, wanted, version=version())
            return done(".manage_visibility", _("Saved."), space=space)
        except KEPT as error:
            no = refused(error)
    with session_read() as session:
        seat = access.managing(session, person_id, space, least="owns")
        present = seat.profile.wanted if seat.profile.state == "preparing" else seat.space.visibility
        reach = None
        if wanted in kinds.VISIBILITIES and wanted != present:
            reach = changing.preview(session, person_id, space, wanted)
        return frame(session, seat, "manage_visibility", no=no, present=present, wanted=wanted or present, reach=reach)


@blueprint.route("/<space>/manage/end", methods=["GET", "POST"])
def manage_end(space: str) -> BaseResponse:
    """Archive, open again, merge into another space, split."""
    person_id = me()
    no: Refused | None = None
    act = request.form.get("act", "")
    if request.method == "POST" and act != "preview":
        try:
            endpoint, message, key = _end(person_id, space, act)
            return done(endpoint, message, space=key)
        except KEPT as error:
            no = refused(error, act)
    with session_read() as session:
        seat = access.managing(session, person_id, space, least="owns")
        reach = target = None
        if act == "preview":
            try:
                target, reach = changing.preview_merge(session, person_id, space, request.form.get("target", ""))
            except KEPT as error:
                no = refused(error, "merge")
        return frame(session, seat, "manage_end", no=no, reach=reach, target=target)


def _end(person_id: int, space: str, act: str) -> tuple[str, str, str]:
    form = request.form
    with session_write() as session:
        if act == "archive":
            changing.archive(session, person_id, space, why=form.get("why", ""))
            return ".space", _("The space is archived."), space
        if act == "unarchive":
            changing.unarchive(session, person_id, space)
            return ".space", _("The space is open again."), space
        if act == "merge":
            seat = changing.merge(session, person_id, space, form.get("target", ""))
            return ".space", _("The spaces are one now."), seat.space.key
        made = changing.split(
            session, person_id, space, name=form.get("name", ""), usernames=form.get("people", "").split(),
            leaving=form.get("leaving") == "1",
        )  # fmt: skip
        return ".manage_sheet", _("The new space is made. It opens once its framing sheet is complete."), made.key
