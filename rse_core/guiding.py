"""What plugins contribute to the help that people get with what is new to them: steps of a tour, tutorials, taking part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .i18n import Text
from .levels import Level

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class TourStep:
    """One thing that a level opens, as a person is told of it in a short tour when it does.

    It belongs to the level from which ``capability`` opens on this site, and is shown to whom that is open. What hangs on no
    capability says its ``level`` instead.

    :param key: ``<plugin>.<name>``.
    :param capability: one of the plugin's own, or "".
    :param text: two or three sentences, plain text: what it is for, where it is done.
    :param endpoint: where it is done: a page of the plugin without arguments; "" for what stands on the intranet's pages.
    :param selector: a CSS selector of what to point at there, in the light of the page, e.g. ``.rse-feed-composer``.
    :param order: among the steps of one level.
    """

    key: str
    capability: str
    title: Text
    text: Text
    endpoint: str = ""
    selector: str = ""
    order: int = 100
    level: Level | None = None


@dataclass(frozen=True, slots=True)
class Tutorial:
    """A short page in Markdown, shipped with a plugin: ``<directory>/<name>.<locale>.md``, whose first line is its title.

    :param key: ``<plugin>.<name>``; ``name`` is the file's, with underscores.
    :param level: the level from which it is shown.
    :param video: address of a film or a webinar, http or https.
    """

    key: str
    level: Level
    directory: Path
    order: int = 100
    video: str = ""

    def file(self, locale: str) -> Path:
        """Where its text of one language stands."""
        return self.directory / f"{self.key.partition('.')[2]}.{locale}.md"


@dataclass(frozen=True, slots=True)
class Participation:
    """One way to take part, counted for those who accompany an entity; never shown by person.

    :param name: ``<plugin>.<name>``.
    :param label: what they have done at least once, as in “reacted”.
    :param people: ``people(session)`` selects the ids of those who have; an id may come several times, none is NULL.
    """

    name: str
    label: Text
    people: Callable[[Session], Select[Any]]
    order: int = 100
