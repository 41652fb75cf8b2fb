"""Cards as boards show them. Most look as they did a moment ago, to everybody: their markup is made once and kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping

from markupsafe import Markup

from rse_core.webapi import KeptMarkup

from ..access import Seat
from ..reading import Shown

#: Some boards' worth; about 700 bytes each.
_kept = KeptMarkup(most=20_000)


def showing(
    chair: Seat, *, level: int, select: bool, counts: Mapping[int, Markup], chosen: Collection[int] = ()
) -> Callable[[Shown, Callable[..., str]], Markup]:
    """What the template of a board calls for each card, with the macro that draws one.

    :param level: of the headings.
    :param counts: what others put beside a card (its comments); ``chosen``: those that are ticked.
    """
    movable = chair.movable

    def shown(card: Shown, draw: Callable[..., str]) -> Markup:
        ticked = card.id in chosen
        # Everything that the macro looks at.
        key: tuple[Hashable, ...] = (
            card.id, card.version, card.title, card.state, card.due_at, card.overdue, card.done, card.checks, card.children,
            card.blocked, card.files, card.values, tuple([(one.hue, one.name) for one in card.labels]),
            tuple([(one.id, one.display_name) for one in card.people]), counts.get(card.id), level, select, movable, ticked,
        )  # fmt: skip
        return Markup(_kept(key, lambda: draw(card, chair, level, select, ticked)))  # noqa: S704  a macro made it

    return shown
