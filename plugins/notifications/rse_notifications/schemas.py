"""Schemas of the REST resource."""

from __future__ import annotations

import marshmallow as ma

KEY = {"description": "what names a notification among mine: n12, or b7 for one to a whole audience"}
REF = {"description": "TYPE:ID of a thread or of a space (communities.space:3)"}


class NotificationsQuery(ma.Schema):
    unread = ma.fields.Boolean(load_default=False, metadata={"description": "only what is unread"})
    cursor = ma.fields.String(load_default=None, metadata={"description": "next of the page before"})


class NotificationSchema(ma.Schema):
    """One notification."""

    key = ma.fields.String(metadata=KEY)
    type = ma.fields.String()
    text = ma.fields.String(metadata={"description": "in the reader's language"})
    url = ma.fields.String(allow_none=True, metadata={"description": "null when its object is gone"})
    ref = ma.fields.String()
    at = ma.fields.AwareDateTime(format="iso")
    read = ma.fields.Boolean()
    firm = ma.fields.Boolean(metadata={"description": "it cannot be muted"})


class NotificationsSchema(ma.Schema):
    """One page, newest first."""

    items = ma.fields.List(ma.fields.Nested(NotificationSchema))
    next = ma.fields.String(allow_none=True, metadata={"description": "cursor of the next page, null on the last"})


class NotificationsReadSchema(ma.Schema):
    """What to mark as read."""

    keys = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(1, 20)),
        load_default=None,
        allow_none=True,
        validate=ma.validate.Length(0, 200),
        metadata={"description": "keys of notifications; null for all"},
    )


class NotificationsCountSchema(ma.Schema):
    """The bell."""

    count = ma.fields.Integer(metadata={"description": "unread, at most 100"})
    label = ma.fields.String(metadata={"description": "the same in words"})


class NotificationWishSchema(ma.Schema):
    """How one type reaches me by one channel."""

    type = ma.fields.String(required=True, validate=ma.validate.Length(1, 80))
    channel = ma.fields.String(required=True, validate=ma.validate.Length(1, 40))
    value = ma.fields.String(
        required=True, allow_none=True, validate=ma.validate.Length(1, 10),
        metadata={"description": "none, immediate, daily or weekly; null for the default"},
    )  # fmt: skip
    default = ma.fields.String(dump_only=True)
    chosen = ma.fields.Boolean(dump_only=True)


class NotificationPreferencesSchema(ma.Schema):
    """My preferences; what is left out of a change stays."""

    wishes = ma.fields.List(ma.fields.Nested(NotificationWishSchema), validate=ma.validate.Length(0, 500))
    digest_hour = ma.fields.Integer(allow_none=True, metadata={"description": "0 to 23; null for the site's"})
    time_zone = ma.fields.String(validate=ma.validate.Length(0, 60), metadata={"description": "empty for the site's"})


class NotificationPreferencesChangeSchema(NotificationPreferencesSchema):
    """What is to change in my preferences; what is left out stays."""


class NotificationMuteSchema(ma.Schema):
    """A thread or space that I muted."""

    ref = ma.fields.String(required=True, validate=ma.validate.Length(3, 600), metadata=REF)
    hears = ma.fields.String(dump_only=True, metadata={"description": "mentions, or none"})
    title = ma.fields.String(dump_only=True, allow_none=True)


class NotificationMuteQuery(ma.Schema):
    ref = ma.fields.String(required=True, validate=ma.validate.Length(3, 600), metadata=REF)
