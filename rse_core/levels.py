"""The one ordered scale of interactivity, and its names in both languages (DESIGN §2, §3)."""

from __future__ import annotations

import enum
import unicodedata

from .errors import BadInput
from .i18n import LazyText, _, lazy


class Level(enum.IntEnum):
    """Level of interactivity. Ordered; an organisation may relabel it, never reorder it."""

    INFORM = 0
    REACT = 1
    COMMENT = 2
    CONTRIBUTE = 3
    COLLABORATE = 4
    COCREATE = 5

    @property
    def label(self) -> LazyText:
        """Its name in the reader's language."""
        return _LABELS[self]


_LABELS = {
    Level.INFORM: lazy("inform"),
    Level.REACT: lazy("react"),
    Level.COMMENT: lazy("comment"),
    Level.CONTRIBUTE: lazy("contribute"),
    Level.COLLABORATE: lazy("collaborate"),
    Level.COCREATE: lazy("co-create"),
}

#: Every name a level may be given by, folded: English, French, and the constant.
_NAMES = {
    "inform": 0, "informer": 0,
    "react": 1, "reagir": 1,
    "comment": 2, "commenter": 2,
    "contribute": 3, "contribuer": 3,
    "collaborate": 4, "collaborer": 4,
    "cocreate": 5, "coconstruire": 5,
}  # fmt: skip


def _fold(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "".join(c for c in plain.lower() if c.isalnum())


def parse_level(text: str | int) -> Level:
    """A level from its number or its English or French name; case, accents and hyphens do not matter.

    :raises BadInput: names the six levels.
    """
    if not isinstance(text, bool):
        folded = _fold(str(text))
        if str(text).strip() in ("0", "1", "2", "3", "4", "5"):
            return Level(int(text))
        if folded in _NAMES:
            return Level(_NAMES[folded])
    raise BadInput(
        _("“%(text)s” is not a level.", text=str(text)[:40]),
        remedy=_(
            "Use 0 to 5, or inform, react, comment, contribute, collaborate, co-create "
            "(informer, réagir, commenter, contribuer, collaborer, co-construire)."
        ),
    )
