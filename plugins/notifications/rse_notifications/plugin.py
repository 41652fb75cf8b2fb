"""What the plugin contributes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rse_core.api import (
    Asset,
    Cli,
    HealthCheck,
    Job,
    Manifest,
    Migrations,
    NavItem,
    NotificationType,
    ObjectRef,
    PersonalData,
    Plugin,
    Setting,
    SlotItem,
    Text,
    TourStep,
    Translations,
    Viewer,
    hookimpl,
    translator,
)

if TYPE_CHECKING:
    from flask import Blueprint
    from sqlalchemy.orm import DeclarativeBase, Session

HERE = Path(__file__).parent
_t = translator(__file__, "rse_notifications")
_, lazy = _t.gettext, _t.lazy


class Notifications(Plugin):
    """The bell, the mails and the digests of RSE, as each person wants them."""

    manifest = Manifest(
        name="notifications",
        label=lazy("Notifications"),
        description=lazy("What concerns a person, in the page, by mail and in digests, as they choose."),
    )

    @hookimpl
    def rse_models(self) -> Iterable[type[DeclarativeBase]]:
        from .models import Base

        return [Base]

    @hookimpl
    def rse_migrations(self) -> Migrations:
        return Migrations(HERE / "migrations")

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_notifications")

    @hookimpl
    def rse_blueprints(self) -> Iterable[Blueprint]:
        from .views import blueprint

        return [blueprint]

    @hookimpl
    def rse_rest_blueprints(self) -> Iterable[Any]:
        from .rest import blueprint

        return [blueprint]

    @hookimpl
    def rse_assets(self) -> Iterable[Asset]:
        return [Asset("rse_notifications.static", "notifications.css")]

    @hookimpl
    def rse_nav_items(self) -> Iterable[NavItem]:
        label = lazy("Notifications")
        return [
            NavItem(
                "rse_notifications.index", label, order=900, icon="bell", badge=_unread,
                count="rse_notifications_api.Count", topic="core.notices",
            ),
            NavItem("rse_notifications.index", label, icon="bell", area="notices", badge=_unread),
            NavItem("rse_notifications.preferences", lazy("What you are told of"), icon="bell", area="me", order=200),
        ]

    @hookimpl
    def rse_settings_forms(self) -> Iterable[Setting]:
        from .options import settings

        return settings()

    @hookimpl
    def rse_cli(self) -> Iterable[Cli]:
        from .cli import notifications

        return [Cli(notifications)]

    @hookimpl
    def rse_jobs(self) -> Iterable[Job]:
        from .jobs import jobs

        return jobs()

    @hookimpl
    def rse_notification_types(self) -> Iterable[NotificationType]:
        # It makes no row: by it people say whether digests also tell what is worth reading.
        return [
            NotificationType("notifications.reading", lazy("What is worth reading"), _no_line, mail="weekly", page=False)
        ]

    @hookimpl
    def rse_health_checks(self) -> Iterable[HealthCheck]:
        from .health import check, repair

        return [HealthCheck("notifications.messages", check, repair)]

    @hookimpl
    def rse_tour_steps(self) -> Iterable[TourStep]:
        from .guiding import steps

        return steps()

    @hookimpl
    def rse_personal_data(self) -> Iterable[PersonalData]:
        from .personal import erase, export

        return [
            PersonalData(
                "notifications.messages",
                lazy("Messages that left"),
                lazy("To send each message once, and at the hour that you chose."),
                export,
                erase,
                retention=lazy("30 days after it was sent. The text of a message is not kept."),
            )
        ]

    @hookimpl
    def rse_slot_items(self, slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]:
        from .slots import items

        return items(slot, refs, viewer, session)


def _unread(session: Session, person_id: int) -> int:
    from rse_core.notify import unread

    return unread(session, person_id)


def _no_line(_count: int, _data: Mapping[str, Any]) -> Text:
    return ""
