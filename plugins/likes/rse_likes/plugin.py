"""What the plugin contributes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rse_core.api import (
    Asset,
    Capability,
    Consumer,
    HealthCheck,
    Indicator,
    Level,
    Manifest,
    Migrations,
    NavItem,
    NotificationType,
    ObjectRef,
    Participation,
    PersonalData,
    Plugin,
    Setting,
    SlotItem,
    TourStep,
    Translations,
    Viewer,
    hookimpl,
    translator,
)

from . import kinds

if TYPE_CHECKING:
    from flask import Blueprint
    from sqlalchemy.orm import DeclarativeBase, Session

HERE = Path(__file__).parent
_t = translator(__file__, "rse_likes")
_, lazy = _t.gettext, _t.lazy


class Likes(Plugin):
    """Reactions: like, useful, bravo, thanks, or the site's own set."""

    manifest = Manifest(
        name="likes",
        label=lazy("Reactions"),
        description=lazy("React to pages of the intranet and to what people write: like, useful, bravo, thanks."),
    )

    @hookimpl
    def rse_capabilities(self) -> Iterable[Capability]:
        return [
            Capability(
                "likes.react",
                lazy("React"),
                Level.REACT,
                description=lazy("Like, useful, bravo, thanks: one reaction on a page, a comment or another object."),
            )
        ]

    @hookimpl
    def rse_models(self) -> Iterable[type[DeclarativeBase]]:
        from .models import Base

        return [Base]

    @hookimpl
    def rse_migrations(self) -> Migrations:
        return Migrations(HERE / "migrations")

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_likes")

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
        return [Asset("rse_likes.static", "likes.css")]

    @hookimpl
    def rse_nav_items(self) -> Iterable[NavItem]:
        return [NavItem("rse_likes.mine", lazy("My reactions"), order=60, icon="heart", area="me")]

    @hookimpl
    def rse_settings_forms(self) -> Iterable[Setting]:
        return [
            Setting(
                kinds.SETTING,
                lazy("Reactions that are offered"),
                kinds.DEFAULT_SETTING,
                kinds.parse_setting,
                help=lazy("In this order. A reaction marked retired is still counted, but no longer offered."),
                kind="json",
            ),
            Setting(
                kinds.SPACES,
                lazy("Spaces with fewer reactions"),
                {},
                kinds.parse_spaces,
                help=lazy("By the key of the space: the keys of the reactions, of those above, that are offered there."),
                kind="json",
            ),
            Setting(
                "likes.own_content",
                lazy("People may react to what they wrote themselves"),
                False,
                _boolean,
                kind="boolean",
            ),
            Setting(
                "likes.notify_from",
                lazy("Tell the author from this many reactions on"),
                1,
                _threshold,
                help=lazy("0 never tells. Reactions are grouped in one notification and never mailed one by one."),
                kind="number",
            ),
        ]

    @hookimpl
    def rse_consumers(self) -> Iterable[Consumer]:
        from . import consumers

        return [
            Consumer("likes.tell_author", ("likes.reacted",), consumers.tell_author),
            Consumer("likes.take_back", ("likes.withdrawn",), consumers.take_back),
        ]

    @hookimpl
    def rse_notification_types(self) -> Iterable[NotificationType]:
        from .consumers import render_liked

        return [NotificationType("likes.reacted", lazy("Somebody reacted to what you wrote"), render_liked)]

    @hookimpl
    def rse_indicators(self) -> Iterable[Indicator]:
        return [
            Indicator(
                "likes.reacted",
                lazy("People who reacted"),
                lazy("People with at least one reaction in the period; each counts once."),
                ("likes.reacted",),
            )
        ]

    @hookimpl
    def rse_health_checks(self) -> Iterable[HealthCheck]:
        from .health import check, repair

        return [HealthCheck("likes.counters", check, repair)]

    @hookimpl
    def rse_tour_steps(self) -> Iterable[TourStep]:
        from .guiding import steps

        return steps()

    @hookimpl
    def rse_participation(self) -> Iterable[Participation]:
        from .guiding import participation

        return participation()

    @hookimpl
    def rse_personal_data(self) -> Iterable[PersonalData]:
        from .personal import erase, export

        return [
            PersonalData(
                "likes.reactions",
                lazy("Reactions"),
                lazy("To show others how a page or a text was received, and to count."),
                export,
                erase,
                retention=lazy("Until it is withdrawn or the account is erased; the count then stays without a name."),
            )
        ]

    @hookimpl
    def rse_slot_items(self, slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]:
        from .slots import items

        return items(slot, refs, viewer, session)


def _boolean(value: Any) -> bool:
    from rse_core.api import BadInput

    if isinstance(value, str) and value.lower() in ("true", "false", "1", "0", "on", ""):
        return value.lower() in ("true", "1", "on")
    if not isinstance(value, bool):
        raise BadInput(_("Choose yes or no."))
    return value


def _threshold(value: Any) -> int:
    from rse_core.api import BadInput

    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number <= 1000:
        raise BadInput(_("Give a number from 0 to 1000."))
    return number
