"""Translation for code that must not import Flask: lazy texts, resolved when shown.

Inside a request the reader's language counts; elsewhere (CLI, jobs) the language set with :func:`use_locale`.
Each distribution brings its own catalogue and makes its own translator with :func:`translator`.
"""

from __future__ import annotations

import contextlib
import contextvars
import gettext as _gettext
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

LOCALES = ("fr", "en")
DEFAULT_LOCALE = "fr"
_locale: contextvars.ContextVar[str | None] = contextvars.ContextVar("rse_locale", default=None)


def current_locale() -> str:
    """The language in force, ``"fr"`` or ``"en"``."""
    return _locale.get() or DEFAULT_LOCALE


def normalise_locale(value: str | None) -> str | None:
    """``fr_FR`` or ``fr-CA`` → ``fr``; None for a language RSE does not speak."""
    short = (value or "").replace("_", "-").split("-", 1)[0].strip().lower()
    return short if short in LOCALES else None


def set_locale(locale: str | None) -> contextvars.Token[str | None]:
    """Set the language of this context; give the token to :func:`reset_locale`."""
    return _locale.set(normalise_locale(locale))


def reset_locale(token: contextvars.Token[str | None]) -> None:
    """Undo :func:`set_locale`."""
    _locale.reset(token)


@contextlib.contextmanager
def use_locale(locale: str | None) -> Iterator[None]:
    """Within the block, texts are shown in this language."""
    token = set_locale(locale)
    try:
        yield
    finally:
        reset_locale(token)


@lru_cache(maxsize=256)
def _catalogue(directory: str, domain: str, locale: str) -> _gettext.NullTranslations:
    return _gettext.translation(domain, directory, languages=[locale], fallback=True)


class LazyText:
    """A text that is translated when it is shown, in the language of that moment."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make

    def __str__(self) -> str:
        return self._make()

    def __repr__(self) -> str:
        return f"LazyText({self._make()!r})"

    def __html__(self) -> str:
        import markupsafe

        return str(markupsafe.escape(self._make()))

    def __format__(self, spec: str) -> str:
        return format(self._make(), spec)

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, (str, LazyText)) else NotImplemented

    def __hash__(self) -> int:
        return id(self)

    def __add__(self, other: str) -> str:
        return self._make() + str(other)

    def __mod__(self, values: Any) -> str:
        return str(self._make() % values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._make(), name)


Text = str | LazyText


class Translator:
    """Translates the messages of one distribution.

    :param directory: its ``translations`` folder, with ``fr/LC_MESSAGES/<domain>.mo``.
    :param domain: the catalogue's name, ``rse`` for the core, ``rse_<plugin>`` for a plugin.
    """

    def __init__(self, directory: str | Path, domain: str) -> None:
        self.directory, self.domain = str(directory), domain

    def _now(self) -> _gettext.NullTranslations:
        return _catalogue(self.directory, self.domain, current_locale())

    def gettext(self, message: str, **values: Any) -> str:
        """The text in the present language; ``%(name)s`` are filled from the keywords."""
        text = self._now().gettext(message)
        return text % values if values else text

    def ngettext(self, one: str, many: str, num: int, **values: Any) -> str:
        """Singular or plural by the language's own rule (in French 0 is singular); ``%(num)s`` is the number."""
        text = self._now().ngettext(one, many, num)
        return text % {"num": num, **values}

    def lazy(self, message: str, **values: Any) -> LazyText:
        """As :meth:`gettext`, resolved when shown."""
        return LazyText(lambda: self.gettext(message, **values))


def translator(package_file: str, domain: str) -> Translator:
    """The translator of a distribution: ``translator(__file__, "rse_likes")``, catalogues beside that file."""
    return Translator(Path(package_file).parent / "translations", domain)


core = translator(__file__, "rse")
_, ngettext, lazy = core.gettext, core.ngettext, core.lazy
