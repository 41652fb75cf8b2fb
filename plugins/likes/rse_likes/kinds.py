"""The set of reactions: configurable by the site; a retired one keeps its history."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rse_core.api import BadInput, LazyText, Text, current_locale, translator

_t = translator(__file__, "rse_likes")
_, lazy = _t.gettext, _t.lazy

SETTING = "likes.reactions"
MOST = 8
_KEY = re.compile(r"[a-z][a-z0-9_]{0,29}\Z")


@dataclass(frozen=True, slots=True)
class Kind:
    """One reaction. ``icon`` names a symbol of the sprite; ``retired`` ones are counted but no longer offered."""

    key: str
    label: Text
    icon: str
    meaning: Text = ""
    retired: bool = False


DEFAULT = (
    Kind("like", lazy("Like"), "thumbs-up", lazy("I read this and I like it.")),
    Kind("useful", lazy("Useful"), "lightbulb", lazy("This helps me in my work.")),
    Kind("bravo", lazy("Bravo"), "party-popper", lazy("Well done.")),
    Kind("thanks", lazy("Thanks"), "hand-heart", lazy("I thank those who did this.")),
)
#: The default as it stands in the setting: built-in keys need no texts of their own.
DEFAULT_SETTING: list[dict[str, Any]] = [{"key": kind.key} for kind in DEFAULT]


def parse_setting(value: Any) -> tuple[Kind, ...]:
    """Read the setting: a list of ``{key, label: {fr, en}, icon, meaning: {fr, en}, retired}``; built-in keys need only ``key``.

    :raises BadInput: names the entry and what is wrong with it.
    """
    if not isinstance(value, list) or not 1 <= len(value) <= MOST:
        raise BadInput(_("The reactions are a list of 1 to %(most)s entries.", most=str(MOST)))
    kinds = tuple(_kind(number, entry) for number, entry in enumerate(value, 1))
    if len({kind.key for kind in kinds}) != len(kinds):
        raise BadInput(_("Two reactions have the same key."))
    if all(kind.retired for kind in kinds):
        raise BadInput(_("At least one reaction must be offered."), remedy=_("Switch the plugin off instead."))
    return kinds


def _kind(number: int, entry: Any) -> Kind:
    if not isinstance(entry, Mapping) or not _KEY.match(str(entry.get("key", ""))):
        raise BadInput(
            _("Reaction %(number)s has no usable key.", number=str(number)),
            remedy=_("Use up to 30 lower-case letters, digits and _."),
        )
    builtin = {kind.key: kind for kind in DEFAULT}.get(entry["key"])
    label = _text(number, entry.get("label"), builtin.label if builtin else None)
    if not str(label):
        raise BadInput(_("Reaction %(number)s has no label.", number=str(number)))
    return Kind(
        entry["key"],
        label,
        str(entry.get("icon") or (builtin.icon if builtin else "smile"))[:40],
        _text(number, entry.get("meaning"), builtin.meaning if builtin else ""),
        bool(entry.get("retired", False)),
    )


def _text(number: int, given: Any, default: Text | None) -> Text:
    if given is None:
        return default or ""
    if isinstance(given, str):
        return given[:80]
    if isinstance(given, Mapping) and all(isinstance(v, str) for v in given.values()) and {"fr", "en"} <= set(given):
        texts = {locale: str(given[locale])[:80] for locale in ("fr", "en")}
        return LazyText(lambda: texts[current_locale()])
    raise BadInput(
        _("A text of reaction %(number)s is incomplete.", number=str(number)),
        remedy=_("Give it in French (fr) and in English (en)."),
    )
