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
SPACES = "likes.reactions_of_spaces"
MOST = 8
_KEY = re.compile(r"[a-z][a-z0-9_]{0,29}\Z")
_ICON = re.compile(r"[a-z0-9-]{1,40}\Z")


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
    """Read the setting: a list of ``{key, label: {fr, en}, icon, meaning: {fr, en}, retired}``.

    The keys of the built-in reactions need nothing else.

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
    if not isinstance(entry, Mapping) or not isinstance(entry.get("key"), str) or not _KEY.match(entry["key"]):
        raise BadInput(
            _("Reaction %(number)s has no usable key.", number=str(number)),
            remedy=_("Use up to 30 lower-case letters, digits and _."),
        )
    builtin = {kind.key: kind for kind in DEFAULT}.get(entry["key"])
    unknown = sorted(set(entry) - {"key", "label", "icon", "meaning", "retired"}, key=str)
    if unknown:
        raise BadInput(
            _("Reaction %(number)s has an unknown entry “%(name)s”.", number=str(number), name=str(unknown[0])[:40]),
            remedy=_("Use key, label, icon, meaning and retired."),
        )
    label = _text(number, entry.get("label"), builtin.label if builtin else None)
    if not label:
        raise BadInput(_("Reaction %(number)s has no label.", number=str(number)))
    icon = entry.get("icon") or (builtin.icon if builtin else "smile")
    if not isinstance(icon, str) or not _ICON.match(icon):
        raise BadInput(
            _("The icon of reaction %(number)s is not the name of an icon.", number=str(number)),
            remedy=_("Use a name such as thumbs-up, heart or star."),
        )
    meaning = _text(number, entry.get("meaning"), builtin.meaning if builtin else "")
    retired = entry.get("retired", False)
    if not isinstance(retired, bool):
        raise BadInput(_("“retired” of reaction %(number)s is neither true nor false.", number=str(number)))
    return Kind(entry["key"], label, icon, meaning, retired)


def parse_spaces(value: Any) -> dict[str, frozenset[str]]:
    """Read the sets of single spaces: ``{key of the space: [keys of reactions]}``; an empty list offers none there.

    :raises BadInput: names the space and what is wrong with it.
    """
    if not isinstance(value, Mapping):
        raise BadInput(
            _("The sets of reactions of spaces are not a mapping."), remedy=_('Write {"garden": ["like", "thanks"]}.')
        )
    for space, keys in value.items():
        if not isinstance(keys, list) or not all(isinstance(key, str) and _KEY.match(key) for key in keys):
            raise BadInput(
                _("The reactions of the space “%(space)s” are not a list of keys.", space=str(space)[:40]),
                remedy=_('Write {"garden": ["like", "thanks"]}.'),
            )
    return {str(space): frozenset(keys) for space, keys in value.items()}


def _text(number: int, given: Any, default: Text | None) -> Text:
    if given is None:
        return default or ""
    if isinstance(given, str):
        return given.strip()[:80]
    if (
        isinstance(given, Mapping)
        and {"fr", "en"} <= set(given)
        and all(isinstance(text, str) and text.strip() for text in given.values())
    ):
        texts = {locale: str(given[locale]).strip()[:80] for locale in ("fr", "en")}
        return LazyText(lambda: texts[current_locale()])
    raise BadInput(
        _("A text of reaction %(number)s is incomplete.", number=str(number)),
        remedy=_("Give it in French (fr) and in English (en)."),
    )
