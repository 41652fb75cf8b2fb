"""Tutorials that plugins bring, read from their packages once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rse_core.api import Core, Tutorial

LOCALES = ("fr", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """One tutorial in one language."""

    title: str
    body: str

    @property
    def fingerprint(self) -> str:
        """Changes with the text."""
        return hashlib.blake2b(f"{self.title}\n{self.body}".encode(), digest_size=18).hexdigest()


def offered(core: Core) -> dict[str, tuple[str, Tutorial]]:
    """Every plugin's, by key, with the name of the plugin."""
    return {tutorial.key: (plugin, tutorial) for plugin, tutorial in core.plugins.contributions(Tutorial)}


def text(tutorial: Tutorial, locale: str) -> Text:
    """Its words in a language; in French for one that it does not have."""
    return _read(tutorial.file(locale if locale in LOCALES else LOCALES[0]))


@lru_cache(maxsize=512)
def _read(path: Path) -> Text:
    first, _end, rest = path.read_text(encoding="utf-8").strip().partition("\n")
    return Text(first.lstrip("# ").strip(), rest.strip())
