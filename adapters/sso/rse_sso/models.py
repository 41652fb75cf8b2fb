"""What must be known on every server: what has served, and what a provider calls the sessions that it began."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, Integer, String
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


class SamlSession(Base):
    """One row for each session that began by SAML: whom the provider means when it ends all sessions of a name.

    ``name_digest`` stands for (issuer, NameID), ``sid`` for (issuer, NameID, session index); neither can be read back.
    """

    __tablename__ = "rse_sso_saml_session"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    name_digest: Mapped[str] = mapped_column(String(64), index=True)
    sid: Mapped[str] = mapped_column(String(64), index=True)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)
