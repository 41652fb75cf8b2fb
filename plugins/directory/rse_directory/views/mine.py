"""Changing one's own profile."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core import files
from rse_core.webapi import allow_files, format_date, require_person, session_read, session_write, take_files

from .. import editing, fields
from .base import KEPT, Refused, _, blueprint, page, refused


@blueprint.get("/me")
def edit() -> BaseResponse:
    """The form."""
    return _form()


@blueprint.post("/me")
@allow_files
def save() -> BaseResponse:
    """Save it; a refused form shows again what was typed."""
    me, keys = require_person(), None
    try:
        keys = take_files("photo").keys
        values = _values()
        if "photo_kept" not in request.form:
            values["photo"] = keys[-1:]
        with session_write() as session:
            editing.edit(session, me.id, values, version=_number(request.form.get("version", "")))
    except KEPT as error:
        return _form(refused(error), keys)
    flash(_("Your profile was saved."))
    return redirect(url_for(".person", username=me.username), 303)


def _values() -> dict[str, Any]:
    form, found = request.form, {}
    for key in (*fields.TEXTS, *editing.SELF):
        if key in form:
            found[key] = form[key]
    found.update({name[4:]: value for name, value in form.items() if name.startswith("own_")})
    if "skills" in form:
        found["skills"] = [one for one in form["skills"].replace(";", ",").replace("\n", ",").split(",") if one.strip()]  # type: ignore[assignment]
    found["choices"] = {name[7:]: value for name, value in form.items() if name.startswith("choice_")}  # type: ignore[assignment]
    if "has_listed" in form:
        found["listed"] = form.get("listed") == "1"  # type: ignore[assignment]
    if "birth_day" in form:
        day, month = form["birth_day"], form.get("birth_month", "")
        found["birthday"] = (day, month) if day or month else None  # type: ignore[assignment]
    return found


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _form(no: Refused | None = None, keys: list[str] | None = None) -> BaseResponse:
    me = require_person()
    with session_read() as session:
        mine = editing.mine(session, me.id)
        photo = list(mine.photo)
        if keys:
            photo = [one for one in photo if one.key in keys] + files.loose(session, me.id, keys)
        synchronised = format_date(fields.synchronised_at(session, mine.person))
        source = fields.source_label(session, mine.person.source)
    return page(
        "edit", no=no, mine=mine, photo=photo[-1:], audiences=fields.AUDIENCE_LABELS,
        source=source, synchronised=synchronised, texts=fields.TEXTS, most=fields.MOST, selves=editing.SELF,
        name_of=fields.name_of,
        months=[f"{number:02}" for number in range(1, 13)],
    )  # fmt: skip
