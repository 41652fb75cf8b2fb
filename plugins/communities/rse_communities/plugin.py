"""What the plugin contributes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rse_core.api import (
    Activity,
    Asset,
    BadInput,
    Capability,
    Cli,
    Consumer,
    ContentType,
    HealthCheck,
    Indicator,
    Job,
    Level,
    Manifest,
    Migrations,
    NavItem,
    NotificationType,
    ObjectRef,
    PersonalData,
    Plugin,
    Responsibility,
    SearchDocument,
    Setting,
    SlotItem,
    SpaceChange,
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
_t = translator(__file__, "rse_communities")
_, lazy = _t.gettext, _t.lazy


class Communities(Plugin):
    """Communities, team spaces and projects: who is in, who may do what."""

    manifest = Manifest(
        name="communities",
        label=lazy("Communities"),
        description=lazy("Spaces with members, roles and rules of their own."),
    )

    @hookimpl
    def rse_capabilities(self) -> Iterable[Capability]:
        return [
            Capability(
                "communities.see", lazy("See communities"), Level.REACT, writes=False,
                description=lazy("See the directory of communities and their pages."),
            ),
            Capability(
                "communities.join", lazy("Join communities"), Level.COLLABORATE,
                description=lazy("Join communities, or ask to be let in."),
            ),
            Capability(
                "communities.invite", lazy("Invite to communities"), Level.COLLABORATE, default_who="managers",
                description=lazy("Invite colleagues to a community."),
            ),
            Capability(
                "communities.create", lazy("Open communities"), Level.COCREATE,
                description=lazy("Make a community and run it."),
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_content_types(self) -> Iterable[ContentType]:
        from .objects import listed, resolve

        return [
            ContentType(
                "communities.space", lazy("community"), resolve, searchable=True, moderated=False, refs=listed,
                reads="communities.see",
            )
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
        return Translations(HERE / "translations", "rse_communities")

    @hookimpl
    def rse_blueprints(self) -> Iterable[Blueprint]:
        from .views import blueprint

        return [blueprint]

    @hookimpl
    def rse_rest_blueprints(self) -> Iterable[Any]:
        from .rest_running import blueprint

        return [blueprint]

    @hookimpl
    def rse_nav_items(self) -> Iterable[NavItem]:
        from .inviting import count_for

        return [
            NavItem(
                "rse_communities.directory", lazy("Communities"), order=30, capability="communities.see", icon="users",
                badge=count_for,
            )
        ]  # fmt: skip

    @hookimpl
    def rse_slot_items(self, slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]:
        from .slots import items

        return items(slot, refs, viewer, session)

    @hookimpl
    def rse_assets(self) -> Iterable[Asset]:
        return [Asset("rse_communities.static", "communities.css", embed=False)]

    @hookimpl
    def rse_settings_forms(self) -> Iterable[Setting]:
        return [
            Setting(
                "communities.add_directly", lazy("People can be added without an invitation"), True, _boolean,
                help=lazy("Otherwise those who run a community can only invite."), kind="boolean",
            ),
            Setting(
                "communities.plugins", lazy("Plugins that a community may switch on and off"),
                ["feed", "comments", "likes"], _names, help=lazy("Names of plugins, as a JSON list."), kind="json",
            ),
            Setting(
                "communities.notify_default", lazy("What members are told of by default"), "mentions", _notify,
                help=lazy("all, mentions or none; a community and each member may choose otherwise."),
            ),
            _days("request_days", lazy("Days for which a request to join waits"), 30),
            _days("request_again_days", lazy("Days after which somebody refused can ask again"), 30),
            _days("invitation_days", lazy("Days for which an invitation waits"), 30),
            Setting(
                "communities.quiet_months", lazy("Months without a publication after which a community counts as quiet"),
                6, lambda value: _number(value, 1, 120), kind="number",
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_cli(self) -> Iterable[Cli]:
        from .commands import space

        return [Cli(space)]

    @hookimpl
    def rse_jobs(self) -> Iterable[Job]:
        from . import bulk, entering, feeding, joining, objects, personal

        return [
            Job("communities.feed", feeding.run),
            Job("communities.feed_all", feeding.all_soon, every=300),
            Job("communities.batch", bulk.run),
            Job("communities.entries", entering.end_over, every=60),
            Job("communities.expire", joining.expire, every=3600),
            Job("communities.prune", bulk.prune, every=86_400),
            Job("communities.profiles", objects.complete, every=600),
            Job("communities.recount", personal.recount),
        ]

    @hookimpl
    def rse_consumers(self) -> Iterable[Consumer]:
        from . import figures, objects, succession

        return [
            Consumer("communities.people", ("people.disabled", "people.enabled"), succession.people_changed),
            Consumer("communities.count", tuple(figures.COUNTED), figures.count),
            Consumer("communities.follow", ("space.added", "space.changed", "space.members"), objects.follow),
        ]

    @hookimpl
    def rse_notification_types(self) -> Iterable[NotificationType]:
        from .notices import types

        return types()

    @hookimpl
    def rse_activities(self) -> Iterable[Activity]:
        return [
            Activity("communities.opened", lazy("%(who)s opened a community")),
            Activity("communities.joined", lazy("%(who)s joined a community"), low=True),
        ]

    @hookimpl
    def rse_indicators(self) -> Iterable[Indicator]:
        return [
            Indicator(
                "communities.members", lazy("People who joined a community"),
                lazy("People who joined at least one community in the period; each counts once."),
                ("communities.joined",),
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_health_checks(self) -> Iterable[HealthCheck]:
        from .health import check, repair

        return [HealthCheck("communities.members", check, repair)]

    @hookimpl
    def rse_tour_steps(self) -> Iterable[TourStep]:
        from .guiding import steps

        return steps()

    @hookimpl
    def rse_responsibilities(self) -> Iterable[Responsibility]:
        from . import handing

        return [
            Responsibility(
                "communities.roles", lazy("Roles and tasks in running the space"), handing.left, handing.give,
                handing.take_back, handing.may, handing.heirs,
            )
        ]  # fmt: skip

    @hookimpl
    def rse_personal_data(self) -> Iterable[PersonalData]:
        from .personal import erase, export

        return [
            PersonalData(
                "communities.participation", lazy("Requests, invitations and tasks in communities"),
                lazy("To let people in, to have spaces run by somebody, and to show who looked into them."),
                export, erase, retention=lazy("As long as the space; lists of people for 90 days."),
            )
        ]  # fmt: skip

    @hookimpl
    def rse_search_documents(self, session: Session, refs: Sequence[ObjectRef]) -> Iterable[SearchDocument]:
        from .objects import documents

        return documents(session, refs)

    @hookimpl
    def rse_space_changed(self, change: SpaceChange, session: Session) -> None:
        from .changing import moved

        moved(session, change)


def _days(name: str, label: Any, default: int) -> Setting:
    return Setting(f"communities.{name}", label, default, lambda value: _number(value, 1, 365), kind="number")


def _number(value: Any, least: int, most: int) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = least - 1
    if not least <= number <= most:
        raise BadInput(_("Give a number from %(least)s to %(most)s.", least=str(least), most=str(most)))
    return number


def _boolean(value: Any) -> bool:
    return value in (True, 1, "1", "true", "on")


def _names(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadInput(_("Give the names as a JSON list."), remedy='["feed", "comments"]')
    return value


def _notify(value: Any) -> str:
    if value not in ("all", "mentions", "none"):
        raise BadInput(_("Give one of: %(choices)s.", choices="all, mentions, none"))
    return str(value)
