"""The calls to plugins while serving: batched, isolated one by one, muted when they keep failing."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import ColumnElement, false

from .contributions import DigestLine, Review, SearchDocument, SlotItem, SpaceChange, Veto, Viewer
from .errors import PluginError, RseError
from .i18n import lazy
from .isolation import Breaker, Implementation
from .settings import Settings
from .writings import Discarded, Finding, Writing

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from .content import ObjectRef
    from .policy import Question
    from .runtime import Core

log = logging.getLogger("rse.plugins")
T = TypeVar("T")


class PluginCalls:
    """The run-time half of :class:`~rse_core.manager.PluginManager`."""

    settings: Settings
    breaker: Breaker

    def implementations(self, hook: str) -> list[Implementation]:
        """The running plugins' implementations of a hook."""
        raise NotImplementedError

    def _failed(self, implementation: Implementation) -> None:
        log.exception("plugin %s: %s failed", implementation.plugin, implementation.hook)
        self.breaker.failed(implementation.plugin, implementation.hook)

    def _each(self, hook: str, plugins: Iterable[str] | None = None, **values: Any) -> list[tuple[str, Any]]:
        """Call every implementation on its own; what fails is logged and left out (raised in strict mode)."""
        only = None if plugins is None else set(plugins)
        answers = []
        for implementation in self.implementations(hook):
            plugin = implementation.plugin
            if (only is not None and plugin not in only) or self.breaker.is_muted(plugin, hook):
                continue
            try:
                with _own_part(values.get("session")):
                    answers.append((plugin, implementation(**values)))
            except Exception:
                if self.settings.strict:
                    raise
                self._failed(implementation)
        return answers

    def slot_items(
        self,
        slot: str,
        refs: Sequence[ObjectRef],
        viewer: Viewer,
        session: Session,
        *,
        plugins: Iterable[str] | None = None,
    ) -> list[SlotItem]:
        """Markup of all running plugins for these objects in one slot, ordered.

        :param plugins: ask only these (those that are on for the person); None asks all.
        """
        if not refs:
            return []
        wanted: set[ObjectRef] = set()
        items: list[SlotItem] = []

        def fits(item: SlotItem) -> bool:
            # Pages ask for hundreds of objects, and mostly nobody has anything to show for them.
            if not wanted:
                wanted.update(refs)
            return item.ref in wanted

        answers = self._each("rse_slot_items", plugins, slot=slot, refs=refs, viewer=viewer, session=session)
        for plugin, answer in answers:
            items += self._checked(plugin, "rse_slot_items", answer, SlotItem, fits)
        return sorted(items, key=lambda item: item.order)

    def search_documents(self, session: Session, refs: Sequence[ObjectRef]) -> list[SearchDocument]:
        """What the index should keep of these objects."""
        found: list[SearchDocument] = []
        for plugin, answer in self._each("rse_search_documents", session=session, refs=refs):
            found += self._checked(plugin, "rse_search_documents", answer, SearchDocument, lambda _item: True)
        return found

    def people_offered(self, session: Session, viewer_id: int) -> list[ColumnElement[bool]]:
        """Conditions on whom somebody is offered; one that cannot be had lets nobody through."""
        found: list[ColumnElement[bool]] = []
        for implementation in self.implementations("rse_people_offered"):
            plugin, hook = implementation.plugin, implementation.hook
            if self.breaker.is_muted(plugin, hook):
                return [false()]
            try:
                with _own_part(session):
                    answer = implementation(session=session, viewer_id=viewer_id)
                if answer is not None:
                    found.append(answer)
            except Exception:
                if self.settings.strict:
                    raise
                self._failed(implementation)
                return [false()]
        return found

    def photos(self, core: Core, source: str, photos: Mapping[int, bytes]) -> dict[int, str] | None:
        """Hand photos of people to who keeps them; None when a plugin failed: they are to be offered again.

        :raises RseError: why none can be kept.
        """
        found: dict[int, str] = {}
        for implementation in self.implementations("rse_photos"):
            if self.breaker.is_muted(implementation.plugin, implementation.hook):
                return None
            try:
                found.update(implementation(core=core, source=source, photos=photos) or {})
            except RseError:
                # It says what to do: the report of the run tells it.
                raise
            except Exception:
                if self.settings.strict:
                    raise
                self._failed(implementation)
                return None
        return found

    def digest(
        self, session: Session, person_id: int, since: dt.datetime, *, plugins: Iterable[str] | None = None
    ) -> list[DigestLine]:
        """What is worth reading since then, of all plugins (``plugins``: only these)."""
        found: list[DigestLine] = []
        for plugin, answer in self._each("rse_digest", plugins, session=session, person_id=person_id, since=since):
            found += self._checked(plugin, "rse_digest", answer, DigestLine, lambda _item: True)
        return found

    def space_changed(self, session: Session, change: SpaceChange) -> None:
        """Tell every plugin that a space's content has another audience; the caller's transaction fails with the first
        that fails, muted or not.

        :raises PluginError: names the plugin.
        """
        for implementation in self.implementations("rse_space_changed"):
            try:
                implementation(change=change, session=session)
            except Exception as error:
                raise PluginError(
                    lazy("The plugin “%(name)s” could not move what stands in the space.", name=implementation.plugin),
                    remedy=lazy("Nothing was changed. Mend or update that plugin, then try again."),
                    plugin=implementation.plugin,
                ) from error

    def _checked(self, plugin: str, hook: str, answer: Any, kind: type[T], fits: Callable[[T], bool]) -> list[T]:
        """The items of an answer; one of a wrong type is an error of that plugin, as an exception would
        be.
        """
        try:
            items = list(answer or ())
            wrong = next((i for i in items if not isinstance(i, kind) or not fits(i)), None)
            if wrong is not None:
                raise TypeError(f"{hook} must answer with {kind.__name__} for the objects asked about, not {wrong!r:.200}")
            return items
        except Exception:
            if self.settings.strict:
                raise
            log.exception("plugin %s: %s answered wrongly", plugin, hook)
            self.breaker.failed(plugin, hook)
            return []

    @property
    def decides(self) -> bool:
        """Whether any plugin has a say in decisions; False lets the policy skip the question."""
        return bool(self.implementations("rse_decide"))

    def decide(self, question: Question, *, plugins: Iterable[str] | None = None) -> Veto | None:
        """The first veto, in start order.

        :raises PluginError: when an implementation fails or is muted, so that the policy refuses writing.
        """
        only = None if plugins is None else set(plugins)
        for implementation in self.implementations("rse_decide"):
            if only is not None and implementation.plugin not in only:
                continue
            answer = self._asked(implementation, question, Veto)
            if answer is not None:
                return answer
        return None

    def review(self, question: Question, *, plugins: Iterable[str] | None = None) -> Review | None:
        """The first wish that this be held for a moderator; an implementation that fails or is muted
        holds it.
        """
        only = None if plugins is None else set(plugins)
        for implementation in self.implementations("rse_review"):
            if only is not None and implementation.plugin not in only:
                continue
            try:
                answer = self._asked(implementation, question, Review)
            except PluginError:
                if self.settings.strict:
                    raise
                return Review(lazy("A check could not be made, so a moderator will look at this first."))
            if answer is not None:
                return answer
        return None

    def examine(self, session: Session, writing: Writing, *, plugins: Iterable[str] | None = None) -> list[Finding]:
        """What every plugin finds in a text; an implementation that fails, answers wrongly or is muted holds it."""
        only = None if plugins is None else set(plugins)
        found: list[Finding] = []
        for implementation in self.implementations("rse_examine"):
            if only is not None and implementation.plugin not in only:
                continue
            try:
                if self.breaker.is_muted(implementation.plugin, "rse_examine"):
                    raise PluginError("muted", plugin=implementation.plugin)
                with _own_part(session):
                    answer = implementation(writing=writing, session=session)
                if answer is not None and not isinstance(answer, Finding):
                    raise TypeError(f"rse_examine must answer with Finding or None, not {answer!r:.200}")
            except Exception as error:
                if self.settings.strict:
                    raise
                if not isinstance(error, PluginError):
                    self._failed(implementation)
                answer = Finding("hold", lazy("A check could not be made, so a moderator will look at this first."))
            if answer is not None:
                found.append(answer)
        return found

    def discarded(self, session: Session, discarded: Discarded) -> bool:
        """Tell every plugin that an object was deleted; whether one keeps it restorable."""
        answers = self._each("rse_discarded", discarded=discarded, session=session)
        return any(answer is True for _plugin, answer in answers)

    def _asked(self, implementation: Implementation, question: Question, kind: type[T]) -> T | None:
        plugin, hook = implementation.plugin, implementation.hook
        if self.breaker.is_muted(plugin, hook):
            raise PluginError(f"The plugin “{plugin}” keeps failing in {hook} and is muted.", plugin=plugin)
        try:
            answer = implementation(question=question)
            if answer is not None and not isinstance(answer, kind):
                raise TypeError(f"{hook} must answer with {kind.__name__} or None, not {answer!r:.200}")
            return answer
        except Exception as error:
            if not self.settings.strict:
                self._failed(implementation)
            raise PluginError(f"The plugin “{plugin}” failed in {hook}: {type(error).__name__}.", plugin=plugin) from error

    def notify_ready(self, app: Any) -> None:
        """Everything is assembled; called once, before the first request."""
        self._each("rse_ready", app=app)

    def notify_switched(self, session: Session, plugin: str, on: bool) -> None:
        """Tell one plugin that it was switched on or off for the site."""
        self._each("rse_enabled" if on else "rse_disabled", (plugin,), session=session)

    def notify_purge(self, session: Session, plugin: str) -> None:
        """Tell one plugin that its data has been exported and is about to be dropped."""
        self._each("rse_purge", (plugin,), session=session)


@contextlib.contextmanager
def _own_part(session: Session | None) -> Iterator[None]:
    """What a plugin does with the session can fail alone: PostgreSQL refuses everything after a failed statement.

    A writing session gets a savepoint. A reading one is rolled back on an error: that loses nothing, and a savepoint
    for each slot would cost two statements.
    """
    if session is None:
        yield
    elif session.info.get("rse_reading"):
        try:
            yield
        except Exception:
            session.rollback()
            raise
    else:
        with session.begin_nested():
            yield
