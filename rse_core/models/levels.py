"""The cursor's rows: dated levels, ceilings and caps, shifts of capabilities, switches of plugins, and their version."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import CoreBase, Key, utcnow


class LevelRow(CoreBase):
    """One dated assignment; never changed, never deleted, so that the table is also the history.

    ``kind``: level, ceiling or cap. ``scope``: site, entity, group, space or section. ``scope_key``: "" for the site,
    the row's id as text for an entity, group or space, the path for a section. ``level`` None withdraws what stood
    there before. In force at a moment: the row with the greatest (starts_at, id) among those with starts_at <= moment.
    """

    __tablename__ = "rse_core_level"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    scope: Mapped[str] = mapped_column(String(10))
    scope_key: Mapped[str] = mapped_column(String(500), default="")
    level: Mapped[int | None]
    starts_at: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    created_by: Mapped[str] = mapped_column(String(200), default="")
    why: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (Index("ix_rse_core_level_scope", "kind", "scope", "scope_key", "starts_at"),)


class CapabilityShift(CoreBase):
    """A site opens this capability from another level than the plugin's own."""

    __tablename__ = "rse_core_capability_shift"
    capability: Mapped[str] = mapped_column(String(80), primary_key=True)
    level: Mapped[int]
    changed_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    changed_by: Mapped[str] = mapped_column(String(200), default="")


class PluginSwitch(CoreBase):
    """A plugin switched on or off for the site (``scope`` site, ``scope_id`` 0), an entity, a group or a space."""

    __tablename__ = "rse_core_plugin_switch"
    plugin: Mapped[str] = mapped_column(String(40), primary_key=True)
    scope: Mapped[str] = mapped_column(String(10), primary_key=True)
    scope_id: Mapped[int] = mapped_column(Key, primary_key=True, default=0)
    enabled: Mapped[bool]
    changed_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    changed_by: Mapped[str] = mapped_column(String(200), default="")


class PolicyVersion(CoreBase):
    """One row: the version of all that decisions are made from. Its row lock orders the writers."""

    __tablename__ = "rse_core_policy_version"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    value: Mapped[int] = mapped_column(Key)


class PolicyChange(CoreBase):
    """What a version changed: one person's facts (``person_id``), or the structure (None). Old rows are pruned."""

    __tablename__ = "rse_core_policy_change"
    version: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int | None] = mapped_column(Key)
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)
