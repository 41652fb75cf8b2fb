"""People, entities, groups, spaces, their flattened audiences, and the roles of those who run the site."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import CoreBase, Key, utcnow


class Entity(CoreBase):
    """A node of the organisation's tree; ``key`` is its stable external id."""

    __tablename__ = "rse_core_entity"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(300))
    parent_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_entity.id"), index=True)


class EntityPath(CoreBase):
    """Closure of the tree: every ancestor of every entity, itself at depth 0."""

    __tablename__ = "rse_core_entity_path"
    entity_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_entity.id", ondelete="CASCADE"), primary_key=True)
    ancestor_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_entity.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    depth: Mapped[int]


class Person(CoreBase):
    """Somebody of the organisation, or from outside it.

    ``status`` is ``active`` or ``disabled`` (left; content is kept). One who is ``external`` (a partner, a supplier) is in
    no audience but those of their groups and spaces: what is for everyone, or for an entity, is for the staff.
    """

    __tablename__ = "rse_core_person"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    external_id: Mapped[str] = mapped_column(String(200), unique=True)
    username: Mapped[str] = mapped_column(String(200), unique=True)
    display_name: Mapped[str] = mapped_column(String(300))
    #: lower case, no accents, œ → oe; for prefix search and sorting
    folded_name: Mapped[str] = mapped_column(String(300), index=True)
    email: Mapped[str] = mapped_column(String(320), default="")
    entity_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_entity.id"), index=True)
    job_title: Mapped[str] = mapped_column(String(300), default="")
    manager_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="SET NULL"), index=True)
    is_manager: Mapped[bool] = mapped_column(default=False)
    external: Mapped[bool] = mapped_column(default=False, server_default=false())
    locale: Mapped[str] = mapped_column(String(10), default="")
    phone: Mapped[str] = mapped_column(String(60), default="")
    site: Mapped[str] = mapped_column(String(200), default="")
    status: Mapped[str] = mapped_column(String(20), default="active")
    disabled_at: Mapped[dt.datetime | None]
    source: Mapped[str] = mapped_column(String(40), default="csv")
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class PersonEntity(CoreBase):
    """An entity that somebody is in beside their main one: in its audience; the level follows the main one alone."""

    __tablename__ = "rse_core_person_entity"
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True)
    entity_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_entity.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Assistant(CoreBase):
    """Somebody assists a person."""

    __tablename__ = "rse_core_assistant"
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True)
    assistant_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class PersonIdentity(CoreBase):
    """(issuer, subject) → person: how somebody who signs in is known."""

    __tablename__ = "rse_core_identity"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    issuer: Mapped[str] = mapped_column(String(300))
    subject: Mapped[str] = mapped_column(String(300))
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    __table_args__ = (UniqueConstraint("issuer", "subject"),)


class Group(CoreBase):
    """A named set of people: managers, ambassadors, communication staff.

    ``source``: who keeps its members (``csv``, ``local`` …).
    """

    __tablename__ = "rse_core_group"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(300))
    source: Mapped[str] = mapped_column(String(40), default="local")


class GroupMember(CoreBase):
    __tablename__ = "rse_core_group_member"
    group_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_group.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Space(CoreBase):
    """A community or team. ``visibility``: ``public`` (everyone sees what is in it), ``listed`` or ``secret``; somebody
    ``external`` sees only the spaces they are in."""

    __tablename__ = "rse_core_space"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(300))
    visibility: Mapped[str] = mapped_column(String(20), default="listed")
    archived_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    #: what members are told of by default: ``all``, ``mentions`` or ``none``; "" leaves it to the site
    notify: Mapped[str] = mapped_column(String(10), default="", server_default="")
    #: the space that took this one in (no foreign key: SQLite cannot add one without rebuilding the table)
    merged_into: Mapped[int | None] = mapped_column(Key)


class SpaceAlias(CoreBase):
    """A key that a space had, or that of one merged into it: its addresses still lead there."""

    __tablename__ = "rse_core_space_alias"
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    space_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_space.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class SpaceMember(CoreBase):
    """``role``: owner, admin, moderator (these three manage), writer, member, external."""

    __tablename__ = "rse_core_space_member"
    space_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_space.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[str] = mapped_column(String(20), default="member")
    since: Mapped[dt.datetime] = mapped_column(default=utcnow)
    __table_args__ = (Index("ix_rse_core_space_member_role", "space_id", "role"),)


class SpaceRule(CoreBase):
    """In this space, who may use this capability: ``nobody``, ``managers``, ``members`` or ``all`` who see it."""

    __tablename__ = "rse_core_space_rule"
    space_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_space.id", ondelete="CASCADE"), primary_key=True)
    capability: Mapped[str] = mapped_column(String(80), primary_key=True)
    who: Mapped[str] = mapped_column(String(20))


class Audience(CoreBase):
    """The people who may see a thing. ``kind``: everyone, entity, group or space; ``target_id`` its row there, or 0."""

    __tablename__ = "rse_core_audience"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    target_id: Mapped[int] = mapped_column(Key, default=0)
    __table_args__ = (UniqueConstraint("kind", "target_id"),)


class Membership(CoreBase):
    """Flattened: this person is in this audience (everyone, own entity and all above it, groups, spaces)."""

    __tablename__ = "rse_core_membership"
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), primary_key=True)
    audience_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_audience.id", ondelete="CASCADE"), primary_key=True
    )
    __table_args__ = (Index("ix_rse_core_membership_audience", "audience_id", "person_id"),)


class RoleGrant(CoreBase):
    """``role``: site_admin, entity_admin, moderator or animator; ``scope``: site, entity, group or space."""

    __tablename__ = "rse_core_role"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(20))
    scope: Mapped[str] = mapped_column(String(20), default="site")
    scope_id: Mapped[int] = mapped_column(Key, default=0)
    granted_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    granted_by: Mapped[str] = mapped_column(String(200), default="")
    why: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (UniqueConstraint("person_id", "role", "scope", "scope_id"),)


_RUNNING = text("state = 'running'")


class DirectoryRun(CoreBase):
    """One synchronisation with a directory. ``state``: ``running``, ``done``, ``refused`` (nothing written: too many would
    leave) or ``failed`` (it could not be read to its end). ``mark``: where the next one may go on, once this one is done."""

    __tablename__ = "rse_core_directory_run"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    source: Mapped[str] = mapped_column(String(81))
    complete: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(String(10), default="running")
    began_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    #: renewed while it runs: one that has been silent for long has died
    seen_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    ended_at: Mapped[dt.datetime | None]
    mark: Mapped[str] = mapped_column(String(200), default="")
    actor: Mapped[str] = mapped_column(String(200), default="")
    report: Mapped[Any] = mapped_column(JSON, default=dict)
    __table_args__ = (
        Index("ix_rse_core_directory_run_source", "source", "id"),
        # Two that begin at once: one of them cannot.
        Index("uq_rse_core_directory_run_running", "source", unique=True, sqlite_where=_RUNNING, postgresql_where=_RUNNING),
    )
