"""Pages and forms: the list, what a person sets, what the site sets, stopping a mail from the mail itself."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core import notify
from rse_core.api import BadInput, NotificationType, ObjectRef, translator, utcnow
from rse_core.notify_reading import Place
from rse_core.roles import is_site_admin
from rse_core.webapi import (
    Cursor,
    actor,
    core,
    csrf_exempt,
    current_person_id,
    decode_cursor,
    encode_cursor,
    require_person,
    return_to,
    session_read,
    session_write,
)

from . import clock, contents, letters, service, tokens

_t = translator(__file__, "rse_notifications")
_ = _t.gettext
blueprint = Blueprint(
    "rse_notifications", __name__, url_prefix="/notifications", template_folder="templates", static_folder="static"
)
LIST = "notifications.list"


@blueprint.get("/")
def index() -> str:
    """What concerns the person who asks, by day."""
    person = require_person()
    only_unread = request.args.get("show") == "unread"
    before = place_of(request.args.get("after"), only_unread)
    with session_read() as session:
        lines, more = service.page(session, person.id, before=before, only_unread=only_unread)
        who = contents.recipient(session, person.id)
        spots = list({ref for line in lines for ref in (line.thread, line.space) if ref is not None})
        muted = notify.is_muted(session, person.id, spots)
        unread = notify.unread(session, person.id)
        digests = bool(service.channels(session)[1:])
    zone = who.zone if who is not None else core().settings.timezone
    today = utcnow().astimezone(clock.zone_of(zone)).date()
    return render_template(
        "rse/notifications/index.html", days=service.by_day(lines, zone), more=cursor_of(more, only_unread),
        only_unread=only_unread, unread=unread, muted=muted, today=today, yesterday=today - dt.timedelta(days=1),
        first=before is None, digests=digests,
    )  # fmt: skip


@blueprint.get("/go/<key>")
def go(key: str) -> BaseResponse:
    """Where a notification leads; following it reads it."""
    person = require_person()
    with session_write() as session:
        line = service.follow(session, person.id, key)
    if line.url is None:
        flash(_("What this was about is not there any more."))
        return redirect(url_for(".index"), 303)
    return redirect(line.url, 303)


@blueprint.post("/read")
def read() -> BaseResponse:
    """Mark one as read, or all."""
    person = require_person()
    key = request.form.get("key")
    with session_write() as session:
        notify.mark_read(session, person.id, [key] if key else None)
    flash(_("Marked as read.") if key else _("Everything is marked as read."))
    return redirect(return_to(url_for(".index")), 303)


@blueprint.post("/hide")
def hide() -> BaseResponse:
    """Take one off the list."""
    person = require_person()
    with session_write() as session:
        notify.hide(session, person.id, request.form.get("key", ""))
    flash(_("It is off your list."))
    return redirect(return_to(url_for(".index")), 303)


@blueprint.post("/mute")
def mute() -> BaseResponse:
    """Mute a thread or a space, or hear of it again."""
    person = require_person()
    ref = ObjectRef.parse(request.form.get("ref", ""))
    with session_write() as session:
        if request.form.get("act") == "unmute":
            notify.unmute(session, person.id, ref)
            said = _("You are told of it again.")
        else:
            service.mute(session, person.id, ref)
            said = _("It is muted. What names you still reaches you.")
    flash(said)
    return redirect(return_to(url_for(".index")), 303)


@blueprint.get("/preferences")
def preferences() -> str:
    """How each type reaches the person, when their digest comes, what they muted."""
    require_person()
    return _preferences()


@blueprint.post("/preferences")
def preferences_save() -> BaseResponse | tuple[str, int]:
    """Save them all at once; a refused form comes back as it was filled in."""
    person = require_person()
    try:
        with session_write() as session:
            service.choose(session, person.id, _choices())
            service.set_schedule(session, person.id, _hour(), request.form.get("zone", "").strip())
    except BadInput as error:
        return _preferences(error), error.status
    flash(_("Your choices are saved."))
    return redirect(url_for(".preferences"), 303)


def _preferences(error: BadInput | None = None) -> str:
    person = require_person()
    with session_read() as session:
        hour, zone = service.schedule(session, person.id)
        values = {
            "channels": service.channels(session), "groups": service.types(session, person.id),
            "muted": service.muted(session, person.id), "site_admin": is_site_admin(session, person.id),
            "usual_hour": core().options.get(session, "notifications.digest_hour"),
        }  # fmt: skip
    if error is not None:
        hour_typed, zone = request.form.get("hour", ""), request.form.get("zone", "")
    else:
        hour_typed = "" if hour is None else str(hour)
    return render_template(
        "rse/notifications/preferences.html", **values, hour=hour_typed, zone=zone, error=error,
        typed=dict(request.form) if error is not None else {}, usual_zone=core().settings.timezone, zones=_zones(),
    )  # fmt: skip


@blueprint.get("/defaults")
def defaults() -> str:
    """For site administrators: what holds for everybody who has not chosen."""
    person = require_person()
    with session_read() as session:
        service.require_admin(session, person.id)
        values = {"channels": service.channels(session), "groups": service.types(session, None)}
    return render_template("rse/notifications/defaults.html", **values)


@blueprint.post("/defaults")
def defaults_save() -> BaseResponse:
    """Save them."""
    person = require_person()
    with session_write() as session:
        service.set_defaults(session, person.id, _choices(), actor())
    flash(_("The defaults are saved."))
    return redirect(url_for(".defaults"), 303)


@blueprint.get("/digest")
def digest() -> str:
    """What the person's next digests would say."""
    person = require_person()
    with session_read() as session:
        found = service.next_digests(session, person.id)
        who = contents.recipient(session, person.id)
    zone = who.zone if who is not None else core().settings.timezone
    return render_template(
        "rse/notifications/digest.html",
        digests=[(one, letters.moment(leaves, zone), letters.moment(one.since, zone)) for one, leaves in found],
    )


@blueprint.get("/unsubscribe/<token>")
def unsubscribe(token: str) -> str:
    """Ask whether these mails are to stop; nothing changes by looking (mail programs open links by themselves)."""
    stop = tokens.read(core(), token)
    kinds = {kind.name: kind for _plugin, kind in core().plugins.contributions(NotificationType)}
    return _unsubscribing(token, str(service.name_of(stop, kinds)), done=False)


@blueprint.post("/unsubscribe/<token>")
@csrf_exempt
def unsubscribe_now(token: str) -> Response:
    """Stop them: the button of that page, or one click in a mail program (RFC 8058); the signed address permits it."""
    stop = tokens.read(core(), token)
    with session_write() as session:
        what = service.stop(session, stop)
    return Response(_unsubscribing(token, str(what), done=True))


def _unsubscribing(token: str, what: str, *, done: bool) -> str:
    return render_template(
        "rse/notifications/unsubscribe.html", token=token, what=what, done=done, known=current_person_id() is not None
    )


def _choices() -> dict[tuple[str, str], str]:
    """What the form says of each type and channel: fields ``way.<type>.<channel>``."""
    found = {}
    for name, value in request.form.items():
        if name.startswith("way."):
            kind, _dot, channel = name[4:].rpartition(".")
            found[kind, channel] = value
    return found


def _hour() -> int | None:
    text = request.form.get("hour", "").strip()
    if not text:
        return None
    if not text.isdecimal() or len(text) > 2:
        message = _("%(hour)s is not an hour of the day.", hour=text[:20])
        raise BadInput(message, remedy=_("Give a number from 0 to 23."), fields={"hour": message})
    return int(text)


def _zones() -> list[str]:
    from zoneinfo import available_timezones

    return sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix", "right")))


def place_of(text: str | None, only_unread: bool) -> Place | None:
    """Where a page begins, from its cursor."""
    if not text:
        return None
    at, rank, number = decode_cursor(core().settings, text, f"{LIST}:{int(only_unread)}").after
    return dt.datetime.fromisoformat(at), int(rank), int(number)


def cursor_of(place: Place | None, only_unread: bool) -> str | None:
    """The cursor of the next page; None on the last."""
    if place is None:
        return None
    after = (place[0].isoformat(), place[1], place[2])
    return encode_cursor(core().settings, Cursor(f"{LIST}:{int(only_unread)}", after))
