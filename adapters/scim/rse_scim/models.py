"""What SCIM says beyond what the core keeps: the resource as it was sent, and the public ids."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from rse_core.api import Key, plugin_base, utcnow
from rse_core.models.organisation import Group, Person

Base = plugin_base("scim")
Document = JSON().with_variant(JSONB(), "postgresql")


class ScimUser(Base):
    """A person as the identity provider sees them.

    ``document`` is the resource as it was sent, without what the core or the server knows; ``keys`` the same values as they
    are compared (NFC, lower case where case does not count), entries with ``primary`` first. Whether the person is active
    stands with the person.
    """

    __tablename__ = "rse_scim_user"

    #: Pages follow it: who comes later stands later.
    number: Mapped[int] = mapped_column(Key, primary_key=True)
    #: The public id: never given twice.
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    person_id: Mapped[int] = mapped_column(Key, ForeignKey(Person.id, ondelete="CASCADE"), unique=True)
    user_name_key: Mapped[str] = mapped_column(String(400), unique=True)
    external_id: Mapped[str | None] = mapped_column(String(200), index=True)
    #: The manager's id as it was sent; it may be that of somebody who comes later.
    manager: Mapped[str | None] = mapped_column(String(200), index=True)
    document: Mapped[Any] = mapped_column(Document)
    keys: Mapped[Any] = mapped_column(Document)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    changed_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        # PostgreSQL finds an entry of a list by it; on SQLite, which has no such index, it stays empty: see ScimValue.
        Index(
            "ix_rse_scim_user_keys", "keys", postgresql_using="gin", postgresql_ops={"keys": "jsonb_path_ops"},
            sqlite_where=text("keys IS NULL"),
        ),
    )  # fmt: skip


class ScimValue(Base):
    """On SQLite, a value of a person by which they are looked for: one of a list (``emails``), or one of a few single texts.

    Triggers of the migration keep it in step with ``ScimUser.keys``. On PostgreSQL, whose index sees into the keys, it stays
    empty.
    """

    __tablename__ = "rse_scim_value"
    __table_args__ = (Index("ix_rse_scim_value_path", "path", "value", "number"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    number: Mapped[int] = mapped_column(Key, ForeignKey(ScimUser.number, ondelete="CASCADE"), index=True)
    #: The name of the list, or the way to the text: ``name.family_name``.
    path: Mapped[str] = mapped_column(String(60))
    value: Mapped[str] = mapped_column(Text)


class ScimGroup(Base):
    """A group as the identity provider sees it; its members are those of the core's group that SCIM knows."""

    __tablename__ = "rse_scim_group"

    number: Mapped[int] = mapped_column(Key, primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    group_id: Mapped[int] = mapped_column(Key, ForeignKey(Group.id, ondelete="CASCADE"), unique=True)
    display_key: Mapped[str] = mapped_column(String(600), unique=True)
    external_id: Mapped[str | None] = mapped_column(String(200), index=True)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    changed_at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class Leaving(Base):
    """Somebody was disabled by SCIM and is not back: what the threshold counts."""

    __tablename__ = "rse_scim_leaving"

    person_id: Mapped[int] = mapped_column(Key, ForeignKey(Person.id, ondelete="CASCADE"), primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(default=utcnow, index=True)
