"""Cards as boards show them. Most look as they did a moment ago, to everybody: their markup is made once and kept.

Hundreds stand on one page, so that what is done for each of them is as little as can be: a key, a look in a dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Any

from flask import current_app, request
from markupsafe import Markup

from rse_core.api import current_locale

from ..access import Seat
from ..reading import Shown

#: Some boards' worth; about 700 bytes each. All are forgotten when there would be more.
MOST = 20_000
#: Ways in which the columns of a state of a board are kept drawn: by language, by who may move, with other numbers beside.
SEVERAL = 6
#: In an application, by language, mount point and what else is the same for a whole page: the markup by all that a card's
#: own depends on.
Kept = dict[tuple[Hashable, ...], dict[tuple[Hashable, ...], str]]
EXTENSION = "rse_kanban_faces"


def showing(
    chair: Seat,
    *,
    level: int,
    select: bool,
    counts: Mapping[int, Markup],
    chosen: Collection[int] = (),
    drawn: dict[Any, Any] | None = None,
) -> Callable[[Iterable[Shown], Callable[..., str]], Markup]:
    """What the template of a board calls for the cards of a column, with the macro that draws one.

    Nothing that one session alone may see is in a card.

    :param level: of the headings.
    :param counts: what others put beside a card (its comments); ``chosen``: those that are ticked.
    :param drawn: what was drawn of this very state of the board: whole columns are found there, and put there.
    """
    same = (current_locale(), request.script_root, level, select, chair.movable)
    every: Kept = current_app.extensions.setdefault(EXTENSION, {})
    # A copy: another request may put a language in meanwhile.
    if sum(map(len, list(every.values()))) >= MOST:
        every.clear()
    # Who writes a template sees it change.
    kept = {} if current_app.debug else every.setdefault(same, {})

    def one(card: Shown, draw: Callable[..., str]) -> str:
        ticked = card.id in chosen
        # Everything that the macro looks at.
        key = (
            card.id, card.version, card.title, card.state, card.due_at, card.overdue, card.done, card.checks, card.children,
            card.blocked, card.files, card.values, card.labels,
            tuple([(who.id, who.display_name) for who in card.people]) if card.people else None, counts.get(card.id), ticked,
        )  # fmt: skip
        html = kept.get(key)
        if html is None:
            html = kept[key] = draw(card, chair, level, select, ticked)
        return html

    def column(cards: Iterable[Shown], draw: Callable[..., str]) -> Markup:
        return Markup("".join([one(card, draw) for card in cards]))  # noqa: S704  a macro made them

    if drawn is None or chosen or current_app.debug:
        return column
    more = (*same, frozenset(counts.items()))
    if len(drawn) >= SEVERAL and more not in drawn:
        drawn.clear()
    whole: dict[int, Markup] = drawn.setdefault(more, {})

    def shown(cards: Iterable[Shown], draw: Callable[..., str]) -> Markup:
        # The lists of a state of the board live as long as what was drawn of it.
        html = whole.get(id(cards))
        if html is None:
            html = column(cards, draw)
            if cards:
                whole[id(cards)] = html
        return html

    return shown
