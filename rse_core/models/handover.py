"""What somebody who has left was responsible for, and who keeps it since."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import CoreBase, Key, utcnow


class Handover(CoreBase):
    """What went in one place from somebody who has left to somebody else: in a space, or for an audience outside spaces.

    ``counts``: how much, by kind. One that was taken back keeps its row, without its items.
    """

    __tablename__ = "rse_core_handover"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), index=True)
    taker_id: Mapped[int] = mapped_column(Key, ForeignKey("rse_core_person.id", ondelete="CASCADE"), index=True)
    space_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_space.id", ondelete="CASCADE"), index=True)
    audience_id: Mapped[int | None] = mapped_column(Key, ForeignKey("rse_core_audience.id", ondelete="CASCADE"), index=True)
    counts: Mapped[Any] = mapped_column(JSON, default=dict)
    at: Mapped[dt.datetime] = mapped_column(default=utcnow)
    actor: Mapped[str] = mapped_column(String(200), default="")
    why: Mapped[str] = mapped_column(Text, default="")
    undone_at: Mapped[dt.datetime | None]
    undone_by: Mapped[str] = mapped_column(String(200), default="")


class HandoverItem(CoreBase):
    """One thing that went; ``was`` is what its plugin needs to know to bring it back."""

    __tablename__ = "rse_core_handover_item"
    handover_id: Mapped[int] = mapped_column(
        Key, ForeignKey("rse_core_handover.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(80), primary_key=True)
    ident: Mapped[str] = mapped_column(String(200), primary_key=True)
    was: Mapped[str] = mapped_column(String(200), default="")
