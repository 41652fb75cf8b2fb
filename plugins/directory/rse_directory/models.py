"""Kept beside the core's people: own profiles, expertise, choices of visibility, the words that people are found by."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from rse_core.api import Key, plugin_base, utcnow

Base = plugin_base("directory")
#: Compared by code points on both databases: a beginning is then a range that the index answers.
Folded = String(120).with_variant(String(120, collation="C"), "postgresql")
_PERSON = "rse_core_person.id"


def _person() -> Mapped[int]:
    return mapped_column(Key, ForeignKey(_PERSON, ondelete="CASCADE"), primary_key=True)


class Profile(Base):
    """What a person writes of themselves. ``listed`` False: they left the list, where the organisation allows it.

    A birthday is a day and a month, and only there when the person gave it. ``filled`` is how much is filled in, of 100.
    """

    __tablename__ = "rse_directory_profile"
    person_id: Mapped[int] = _person()
    about: Mapped[str] = mapped_column(Text, default="")
    experience: Mapped[str] = mapped_column(Text, default="")
    projects: Mapped[str] = mapped_column(Text, default="")
    languages: Mapped[str] = mapped_column(String(300), default="")
    birth_day: Mapped[int | None]
    birth_month: Mapped[int | None]
    listed: Mapped[bool] = mapped_column(default=True)
    filled: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        Index("ix_rse_directory_profile_birthday", "birth_month", "birth_day"),
        Index("ix_rse_directory_profile_listed", "listed"),
    )


class Own(Base):
    """The value of a field that the site's configuration adds."""

    __tablename__ = "rse_directory_own"
    person_id: Mapped[int] = _person()
    field: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(1000))


class Choice(Base):
    """Whom a person shows one of their fields: a code of :data:`~rse_directory.fields.AUDIENCES`."""

    __tablename__ = "rse_directory_choice"
    person_id: Mapped[int] = _person()
    field: Mapped[str] = mapped_column(String(40), primary_key=True)
    audience: Mapped[int] = mapped_column(SmallInteger)


class PhotoFrom(Base):
    """The photo of a person that a source gave: of which bytes (SHA-256) it was made, and as which file it was kept.

    Another file that stands there now, or none, is the person's own decision.
    """

    __tablename__ = "rse_directory_photo"
    person_id: Mapped[int] = _person()
    source: Mapped[str] = mapped_column(String(80))
    digest: Mapped[str] = mapped_column(String(64))
    file_key: Mapped[str] = mapped_column(String(40))
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class Skill(Base):
    """A word of the vocabulary of expertise. ``key`` is its folded label, which says that two are the same."""

    __tablename__ = "rse_directory_skill"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(Folded, unique=True)
    label: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class PersonSkill(Base):
    """What a person says they know."""

    __tablename__ = "rse_directory_person_skill"
    person_id: Mapped[int] = _person()
    skill_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_directory_skill.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    declared_at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class Endorsement(Base):
    """Somebody confirms what a person says they know; one each. It goes when the person no longer says it."""

    __tablename__ = "rse_directory_endorsement"
    person_id: Mapped[int] = _person()
    skill_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_directory_skill.id", ondelete="CASCADE"), primary_key=True)
    by_id: Mapped[int] = mapped_column(Key, ForeignKey(_PERSON, ondelete="CASCADE"), primary_key=True, index=True)
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class Question(Base):
    """Something asked of somebody for their expertise; read by the two of them."""

    __tablename__ = "rse_directory_question"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    from_id: Mapped[int] = mapped_column(Key, ForeignKey(_PERSON, ondelete="CASCADE"), index=True)
    to_id: Mapped[int] = mapped_column(Key, ForeignKey(_PERSON, ondelete="CASCADE"), index=True)
    skill: Mapped[str] = mapped_column(String(120), default="")
    message: Mapped[str] = mapped_column(Text)
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)


class Token(Base):
    """A folded word under which a person is found. ``kind``: 0 the whole name, 1 a word, 2 the end of a telephone number.

    ``choice`` is whom the person chose to show the field that it stands in; 0 leaves it to the site.
    """

    __tablename__ = "rse_directory_token"
    kind: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    token: Mapped[str] = mapped_column(Folded, primary_key=True)
    person_id: Mapped[int] = mapped_column(Key, primary_key=True, index=True)
    field: Mapped[str] = mapped_column(String(40), primary_key=True)
    choice: Mapped[int] = mapped_column(SmallInteger, default=0)


class Near(Base):
    """Words of names, each under itself, under what is left of it without one letter, and under the key of how it sounds
    (:mod:`~rse_directory.sounds`, which no word is): to find what was mistyped, or written as one hears it."""

    __tablename__ = "rse_directory_near"
    part: Mapped[str] = mapped_column(Folded, primary_key=True)
    word: Mapped[str] = mapped_column(Folded, primary_key=True)


class Indexed(Base):
    """What a person's words were last made from: the core's time of change."""

    __tablename__ = "rse_directory_indexed"
    person_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    seen: Mapped[dt.datetime]


class Look(Base):
    """Whose profile somebody opened within an hour (of the epoch), so that copying is noticed; kept a day."""

    __tablename__ = "rse_directory_look"
    viewer_id: Mapped[int] = _person()
    hour: Mapped[int] = mapped_column(primary_key=True, index=True)
    subject_id: Mapped[int] = mapped_column(Key, primary_key=True)
