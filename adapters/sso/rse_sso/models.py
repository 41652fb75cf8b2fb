"""The one table: hand-off tokens that have served."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from rse_core.api import UtcDateTime, plugin_base

Base = plugin_base("sso")


class Nonce(Base):
    """One row for each token that was accepted, until it could not be accepted any more.

    ``digest`` stands for (issuer, jti): of one length, and no readable trace of either.
    """

    __tablename__ = "rse_sso_nonce"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)
