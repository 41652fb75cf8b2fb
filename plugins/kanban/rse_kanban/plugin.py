"""What the plugin contributes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rse_core.api import (
    Activity,
    Asset,
    Capability,
    Consumer,
    ContentType,
    DigestLine,
    HealthCheck,
    Indicator,
    Job,
    Level,
    LiveTopic,
    Manifest,
    Migrations,
    NavItem,
    NotificationType,
    ObjectRef,
    PersonalData,
    Plugin,
    Responsibility,
    SearchDocument,
    SlotItem,
    SpaceChange,
    Translations,
    Viewer,
    hookimpl,
    translator,
)

if TYPE_CHECKING:
    import datetime as dt

    from flask import Blueprint
    from sqlalchemy.orm import DeclarativeBase, Session

HERE = Path(__file__).parent
_t = translator(__file__, "rse_kanban")
_, lazy = _t.gettext, _t.lazy


class Kanban(Plugin):
    """Boards, columns and cards for teams, moved by mouse, touch, keyboard, menu or many at once."""

    manifest = Manifest(
        name="kanban",
        label=lazy("Boards"),
        description=lazy("Boards with columns and cards, of a space, of an entity, or one's own."),
    )

    @hookimpl
    def rse_capabilities(self) -> Iterable[Capability]:
        return [
            Capability("kanban.read", lazy("Look at boards"), Level.REACT, writes=False),
            Capability(
                "kanban.move_card", lazy("Move cards"), Level.COLLABORATE, default_who="members",
                description=lazy("Move cards within a board and from one to another."),
            ),
            Capability(
                "kanban.write_card", lazy("Write cards"), Level.COLLABORATE, reviewed=True, default_who="members",
                description=lazy("Make cards and change them."),
            ),
            Capability(
                "kanban.manage_board", lazy("Run boards"), Level.COLLABORATE, default_who="members",
                description=lazy("Make boards and run one's own: columns, limits, roles, rules."),
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_models(self) -> Iterable[type[DeclarativeBase]]:
        from . import models_more
        from .models import Base

        assert models_more is not None  # noqa: S101  its tables are on the same base
        return [Base]

    @hookimpl
    def rse_migrations(self) -> Migrations:
        return Migrations(HERE / "migrations")

    @hookimpl
    def rse_blueprints(self) -> Iterable[Blueprint]:
        from .views import blueprint

        return [blueprint]

    @hookimpl
    def rse_rest_blueprints(self) -> Iterable[Any]:
        from . import rest, rest_boards, rest_versions

        assert rest_versions is not None  # noqa: S101  its routes are on the blueprint of cards
        return [rest_boards.blueprint, rest.blueprint]

    @hookimpl
    def rse_nav_items(self) -> Iterable[NavItem]:
        return [
            NavItem("rse_kanban.index", lazy("Boards"), order=30, capability="kanban.read", icon="kanban"),
            NavItem("rse_kanban.mine", lazy("My cards"), order=25, capability="kanban.read", icon="list-checks", area="me"),
            NavItem(
                "rse_kanban.addresses_page", lazy("Cards in other programs"), order=45, capability="kanban.read",
                icon="link", area="me",
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_assets(self) -> Iterable[Asset]:
        return [Asset("rse_kanban.static", "kanban.css", embed=False)]

    @hookimpl
    def rse_slot_items(self, slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]:
        from .slots import items

        return items(slot, refs, viewer, session)

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_kanban")

    @hookimpl
    def rse_content_types(self) -> Iterable[ContentType]:
        from . import handling, objects

        return [
            ContentType(
                "kanban.card", lazy("card"), objects.cards, commentable=True, searchable=True, refs=objects.card_ids,
                below=objects.cards_below, reads="kanban.read", handling=handling.HANDLING,
            ),
            ContentType(
                "kanban.board", lazy("board"), objects.boards, searchable=True, moderated=False, refs=objects.board_ids,
                reads="kanban.read",
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_live_topics(self) -> Iterable[LiveTopic]:
        from . import access

        return [LiveTopic(access.BOARD, access.may_listen)]

    @hookimpl
    def rse_activities(self) -> Iterable[Activity]:
        return [
            Activity("kanban.opened", lazy("%(who)s opened a board")),
            Activity("kanban.done", lazy("%(who)s finished a card"), low=True),
        ]

    @hookimpl
    def rse_jobs(self) -> Iterable[Job]:
        from . import ending, recurring, rules, telling
        from .importing import later

        return [
            Job("kanban.remind", telling.remind, every=60),
            Job("kanban.recur", recurring.make_due, every=60),
            Job("kanban.purge", ending.purge, every=86_400),
            Job("kanban.prune_rules", rules.prune, every=86_400),
            Job(later.JOB, later.run),
            Job("kanban.prune_imports", later.prune, every=86_400),
        ]

    @hookimpl
    def rse_consumers(self) -> Iterable[Consumer]:
        from . import telling

        return [
            Consumer("kanban.decided", ("moderation.approved", "moderation.refused"), telling.decided),
            Consumer("kanban.tell_moved", ("kanban.moved",), telling.moved),
        ]

    @hookimpl
    def rse_notification_types(self) -> Iterable[NotificationType]:
        from . import telling

        return [
            NotificationType(
                "kanban.assigned", lazy("You are assigned to a card"), telling.render_assigned, capability="kanban.read",
                personal=True,
            ),
            NotificationType(
                "kanban.mentioned", lazy("Somebody names you in a card"), telling.render_mentioned, mail="immediate",
                capability="kanban.read", personal=True,
            ),
            NotificationType(
                "kanban.due", lazy("A card that you work on is due"), telling.render_due, mail="immediate",
                capability="kanban.read", personal=True,
            ),
            NotificationType(
                "kanban.moved", lazy("Somebody moves a card of yours"), telling.render_moved, capability="kanban.read"
            ),
            NotificationType(
                "kanban.refused", lazy("Your card was not published"), telling.render_refused, mail="immediate",
                personal=True,
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_indicators(self) -> Iterable[Indicator]:
        return [
            Indicator(
                "kanban.active", lazy("People who work on boards"),
                lazy("People who made, changed or moved at least one card in the period; each counts once."),
                ("kanban.created", "kanban.edited", "kanban.moved"),
            ),
            Indicator(
                "kanban.done", lazy("People who finished cards"),
                lazy("People who brought at least one card into a column of what is done in the period; each counts once."),
                ("kanban.done",),
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_health_checks(self) -> Iterable[HealthCheck]:
        from .health import check, repair

        return [HealthCheck("kanban.places", check, repair)]

    @hookimpl
    def rse_responsibilities(self) -> Iterable[Responsibility]:
        from .handing import responsibilities

        return responsibilities()

    @hookimpl
    def rse_personal_data(self) -> Iterable[PersonalData]:
        from . import personal

        return [
            PersonalData(
                "kanban.own", lazy("Filters, templates and addresses of boards"), lazy("To show boards as one wants them."),
                personal.export_own, personal.erase_own, retention=lazy("As long as the account."),
            ),
            PersonalData(
                "kanban.cards", lazy("Cards"),
                lazy("To show who made a card and who works on it, to those who see its board."),
                personal.export_cards, personal.erase_cards,
                retention=lazy("Until it is deleted; cards of shared boards stay without a name."),
            ),
        ]  # fmt: skip

    @hookimpl
    def rse_digest(self, session: Session, person_id: int, since: dt.datetime) -> Iterable[DigestLine]:
        from .workload import digest

        return digest(session, person_id, since)

    @hookimpl
    def rse_space_changed(self, change: SpaceChange, session: Session) -> None:
        from .spaces import changed

        changed(session, change)

    @hookimpl
    def rse_search_documents(self, session: Session, refs: Sequence[ObjectRef]) -> Iterable[SearchDocument]:
        from .objects import documents

        return documents(session, refs)
