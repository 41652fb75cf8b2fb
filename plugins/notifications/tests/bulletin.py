"""A plugin with notes to be told of, and a way by which messages leave that keeps them: what these tests work with."""

from __future__ import annotations

from rse_core.api import (
    Capability,
    ContentInfo,
    ContentType,
    DigestLine,
    Level,
    Manifest,
    NotificationTransport,
    NotificationType,
    ObjectRef,
    Plugin,
    hookimpl,
    utcnow,
)
from rse_core.audiences import everyone


class Bulletin(Plugin):
    """Notes in any audience and state, notifications of each sort."""

    manifest = Manifest("bulletin", "Bulletin")

    def __init__(self):
        self.notes = {}
        self.reading = []

    @hookimpl
    def rse_capabilities(self):
        return [Capability("bulletin.read", "Read", Level.REACT, writes=False)]

    @hookimpl
    def rse_content_types(self):
        def resolve(session, ids):
            found, everybody = {}, everyone(session)
            for ident in ids:
                if ident in self.notes:
                    values = {"audience_id": everybody} | self.notes[ident]
                    ref = ObjectRef("bulletin.note", ident)
                    found[ident] = ContentInfo(ref, values.pop("title", f"Note {ident}"), f"/rse/n/{ident}", **values)
            return found

        return [ContentType("bulletin.note", "note", resolve)]

    @hookimpl
    def rse_notification_types(self):
        def line(count, data):
            return f"{data.get('actor') or 'Nobody'} and {count} on {data.get('title', '')}"

        return [
            NotificationType("bulletin.noted", "A note for you", line, mail="immediate", capability="bulletin.read"),
            NotificationType(
                "bulletin.named", "You are named", line, mail="immediate", capability="bulletin.read", personal=True
            ),
            NotificationType("bulletin.liked", "Your note is liked", line, mail="digest", capability="bulletin.read"),
            NotificationType("bulletin.decided", "A decision", line, mail="none"),
        ]

    @hookimpl
    def rse_digest(self, session, person_id, since):
        return [
            DigestLine(
                ObjectRef("bulletin.note", ident), f"Read {ident}", f"/rse/n/{ident}", "Worth reading", utcnow(), "Ben"
            )
            for ident in self.reading
        ]


class Post(Plugin):
    """The transport ``mail``: keeps what it is handed, or raises what a test put there."""

    manifest = Manifest("post", "Post", kind="adapter")

    def __init__(self):
        self.sent = []
        self.errors = []

    def send(self, message):
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append(message)

    @hookimpl
    def rse_notification_transports(self):
        return [NotificationTransport("mail", "By mail", self.send)]
