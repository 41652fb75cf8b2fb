"""Pages: each module adds its own to one blueprint."""

from . import addresses, boards, cards, figures, history, keeping, mine, moving, parts, settings, transfer, versions
from .base import blueprint

__all__ = [
    "addresses", "blueprint", "boards", "cards", "figures", "history", "keeping", "mine", "moving", "parts", "settings",
    "transfer", "versions",
]  # fmt: skip
