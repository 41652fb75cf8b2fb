"""Settings of the feed, and how their values are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rse_core.api import BadInput, Setting, translator

from . import texts

_t = translator(__file__, "rse_feed")
_, lazy = _t.gettext, _t.lazy


def settings() -> list[Setting]:
    """What a site administrator may change."""
    return [
        Setting(
            texts.TITLE, lazy("Title of posts"), "optional", one_of(texts.TITLES),
            help=lazy("optional, required or none. Drafts may always be without."),
        ),
        Setting(
            texts.LENGTH, lazy("Greatest length of a post, in characters"), 20_000, number(200, 100_000), kind="number"
        ),
        Setting(
            texts.CALL_MOST, lazy("Most people that @space or @everyone may call"), 500, number(0, 100_000), kind="number",
            help=lazy("Whoever may announce can call a whole audience in a post, up to this size."),
        ),
        Setting("feed.pins_max", lazy("Most posts pinned in a space"), 3, number(1, 20), kind="number"),
        Setting(
            "feed.link_preview", lazy("Previews of links to pages outside"), False, boolean, kind="boolean",
            help=lazy("The server fetches the title of a page when an author asks. Pages of the intranet need none."),
        ),
        Setting("feed.topics_max", lazy("Most topics that a post may be about"), 5, number(1, 20), kind="number"),
        Setting(
            texts.EVERYTHING, lazy("Show everything in the feed"), False, boolean, kind="boolean",
            help=lazy("Also what matters little to most, such as somebody having joined. Each person can choose otherwise."),
        ),
    ]  # fmt: skip


def number(least: int, most: int) -> Callable[[Any], int]:
    """A parser of whole numbers."""

    def parse(value: Any) -> int:
        try:
            found = int(value)
        except (TypeError, ValueError):
            found = least - 1
        if not least <= found <= most:
            raise BadInput(_("Give a number from %(least)s to %(most)s.", least=str(least), most=str(most)))
        return found

    return parse


def one_of(values: Sequence[str]) -> Callable[[Any], str]:
    """A parser of one of some words."""

    def parse(value: Any) -> str:
        if value not in values:
            raise BadInput(_("Use one of: %(choices)s.", choices=", ".join(values)))
        return str(value)

    return parse


def boolean(value: Any) -> bool:
    """A parser of yes and no, as a form or JSON has them."""
    return value in (True, 1, "1", "true", "on", "yes")
