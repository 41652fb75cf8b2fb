"""REST: my notifications, how many are unread, what I want to be told of."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response, jsonify, request
from flask.views import MethodView
from flask_smorest import Blueprint

from rse_core import notify
from rse_core.api import ObjectRef, translator
from rse_core.webapi import require_person, session_read, session_write

from . import schemas, service
from .views import cursor_of, place_of

_t = translator(__file__, "rse_notifications")
blueprint = Blueprint(
    "rse_notifications_api", __name__, url_prefix="/notifications", description="What concerns the person who asks"
)


@blueprint.route("")
class Notifications(MethodView):
    @blueprint.arguments(schemas.NotificationsQuery, location="query")
    @blueprint.response(200, schemas.NotificationsSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """My notifications, newest first."""
        person = require_person()
        before = place_of(query["cursor"], query["unread"])
        with session_read() as session:
            lines, more = service.page(session, person.id, before=before, only_unread=query["unread"])
        return {
            "items": [
                {
                    "key": line.key, "type": line.notice.type, "text": line.text, "url": line.url,
                    "ref": str(line.notice.ref), "at": line.at, "read": line.read, "firm": line.notice.firm,
                }
                for line in lines if line.notice is not None
            ],
            "next": cursor_of(more, query["unread"]),
        }  # fmt: skip


@blueprint.route("/read")
class Read(MethodView):
    @blueprint.arguments(schemas.NotificationsReadSchema)
    @blueprint.response(200, schemas.NotificationsCountSchema)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Mark some as read, or all. Sending it again changes nothing; keys that are not mine change nothing."""
        person = require_person()
        with session_write() as session:
            notify.mark_read(session, person.id, body["keys"])
            return _bell(notify.unread(session, person.id))


@blueprint.route("/count")
class Count(MethodView):
    @blueprint.response(200, schemas.NotificationsCountSchema)
    @blueprint.alt_response(304, success=True)
    def get(self) -> Response:
        """How many are unread: one indexed query. Ask with If-None-Match; 304 says that nothing has changed."""
        person = require_person()
        with session_read() as session:
            count = notify.unread(session, person.id)
        answer = jsonify(_bell(count))
        answer.set_etag(hashlib.blake2b(answer.get_data(), digest_size=9).hexdigest())
        answer.headers["Cache-Control"] = "private, no-cache"
        answer.make_conditional(request)
        return answer


@blueprint.route("/<string:key>")
class Notification(MethodView):
    @blueprint.response(204)
    def delete(self, key: str) -> None:
        """Take one off my list. Where there is none, nothing changes."""
        person = require_person()
        with session_write() as session:
            notify.hide(session, person.id, key)


@blueprint.route("/preferences")
class Preferences(MethodView):
    @blueprint.response(200, schemas.NotificationPreferencesSchema)
    def get(self) -> dict[str, Any]:
        """How each type reaches me, and when my digest comes."""
        return _preferences(require_person().id)

    @blueprint.arguments(schemas.NotificationPreferencesChangeSchema(partial=True))
    @blueprint.response(200, schemas.NotificationPreferencesSchema)
    def patch(self, body: dict[str, Any]) -> dict[str, Any]:
        """Change some of it."""
        person = require_person()
        with session_write() as session:
            wishes = {(one["type"], one["channel"]): one["value"] or "" for one in body.get("wishes", ())}
            service.choose(session, person.id, wishes)
            if "digest_hour" in body or "time_zone" in body:
                hour, zone = service.schedule(session, person.id)
                service.set_schedule(session, person.id, body.get("digest_hour", hour), body.get("time_zone", zone))
        return _preferences(person.id)


@blueprint.route("/mutes")
class Mutes(MethodView):
    @blueprint.response(200, schemas.NotificationMuteSchema(many=True))
    def get(self) -> list[dict[str, Any]]:
        """What I muted, the latest first."""
        person = require_person()
        with session_read() as session:
            found = service.muted(session, person.id)
        return [
            {"ref": str(one.ref), "hears": one.hears, "title": None if one.info is None else one.info.title} for one in found
        ]

    @blueprint.arguments(schemas.NotificationMuteSchema)
    @blueprint.response(204)
    def put(self, body: dict[str, Any]) -> None:
        """Mute a thread or a space; what names me still reaches me."""
        person = require_person()
        with session_write() as session:
            service.mute(session, person.id, ObjectRef.parse(body["ref"]))

    @blueprint.arguments(schemas.NotificationMuteQuery, location="query")
    @blueprint.response(204)
    def delete(self, query: dict[str, Any]) -> None:
        """Hear of it again."""
        person = require_person()
        with session_write() as session:
            notify.unmute(session, person.id, ObjectRef.parse(query["ref"]))


def _bell(count: int) -> dict[str, Any]:
    return {
        "count": count,
        "label": _t.ngettext("%(num)s unread notification", "%(num)s unread notifications", count),
    }


def _preferences(person_id: int) -> dict[str, Any]:
    with session_read() as session:
        hour, zone = service.schedule(session, person_id)
        wishes = notify.wishes(session, person_id).values()
    return {"wishes": list(wishes), "digest_hour": hour, "time_zone": zone}
