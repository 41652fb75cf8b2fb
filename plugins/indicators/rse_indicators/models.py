"""What a survey said: how many answered, and how many of them said that they come every day."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Date, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rse_core.api import Key, plugin_base, utcnow

Base = plugin_base("indicators")


class Survey(Base):
    """The answers of one entity (of its own people alone), or of the whole site (``entity_id`` 0), to one survey."""

    __tablename__ = "rse_indicators_survey"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    asked_on: Mapped[dt.date] = mapped_column(Date)
    entity_id: Mapped[int] = mapped_column(Key, default=0)
    respondents: Mapped[int]
    daily: Mapped[int]
    imported_at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    imported_by: Mapped[str] = mapped_column(String(200), default="")
    __table_args__ = (UniqueConstraint("asked_on", "entity_id"),)
