"""Pages: each module adds its own to one blueprint."""

from . import boards, cards, keeping, mine, moving, parts, settings
from .base import blueprint

__all__ = ["blueprint", "boards", "cards", "keeping", "mine", "moving", "parts", "settings"]
