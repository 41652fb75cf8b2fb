"""What the plugin contributes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rse_core.api import Capability, Level, Manifest, Migrations, Plugin, Translations, hookimpl, translator

if TYPE_CHECKING:
    from sqlalchemy.orm import DeclarativeBase

HERE = Path(__file__).parent
_t = translator(__file__, "rse_feed")
_, lazy = _t.gettext, _t.lazy


class Feed(Plugin):
    """Posts, announcements and what happens elsewhere, in one feed for each person."""

    manifest = Manifest(
        name="feed",
        label=lazy("Feed"),
        description=lazy("What colleagues post and what happens where one belongs, newest or most active first."),
    )

    @hookimpl
    def rse_capabilities(self) -> Iterable[Capability]:
        return [
            Capability("feed.read", lazy("Read the feed"), Level.REACT, writes=False),
            Capability(
                "feed.post", lazy("Post"), Level.CONTRIBUTE, reviewed=True, default_who="members",
                description=lazy("Write posts, edit and delete one's own."),
            ),
            Capability(
                "feed.announce", lazy("Announce"), Level.CONTRIBUTE, reviewed=True, default_who="managers",
                description=lazy("Post announcements, which tell a whole audience and may ask to be confirmed."),
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_models(self) -> Iterable[type[DeclarativeBase]]:
        from .models import Base

        return [Base]

    @hookimpl
    def rse_migrations(self) -> Migrations:
        return Migrations(HERE / "migrations")

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_feed")
