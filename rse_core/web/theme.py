"""The colours and fonts of a site: a table ``[theme]`` in ``rse.toml``, or a small stylesheet of ``--rse-*`` properties.

.. code-block:: toml

    [theme]
    accent = "#8a1538"
    on_accent = "#ffffff"
    font = "Marianne, Arial, sans-serif"

    [theme.dark]
    accent = "#ff9db4"
    on_accent = "#3b0012"

Without ``[theme.dark]`` the site is light for everybody. Pairs of colours that cannot be read on each other are refused.
Instead of the table, or beside it as ``RSE_THEME`` in the environment, ``theme = "theme.css"`` names a stylesheet.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Response, current_app, request, url_for
from marshmallow import RAISE, Schema, ValidationError, fields

from ..errors import ConfigError
from ..settings import Settings, check_origin, load_checked
from . import layout

#: The colours of our own frame, as ``rse-frame.css`` has them.
LIGHT = {
    "ink": "#1a1f25", "ink_soft": "#525c67", "paper": "#ffffff", "paper_soft": "#f4f6f8", "line": "#d8dde3",
    "control": "#77818c", "accent": "#0b57a4", "on_accent": "#ffffff", "ok": "#176b2e", "warn": "#7d5000",
    "danger": "#b3201a",
}  # fmt: skip
DARK = {
    "ink": "#e9ecef", "ink_soft": "#aab3bd", "paper": "#15181c", "paper_soft": "#1e2329", "line": "#363d45",
    "control": "#7f8994", "accent": "#7db9ff", "on_accent": "#06203c", "ok": "#6fd388", "warn": "#e8b84a",
    "danger": "#ff938a",
}  # fmt: skip
#: What is read on what, and the least contrast: 4.5 for text, 3 for the lines of controls (WCAG 2.1, 1.4.3 and 1.4.11).
PAIRS = (
    ("ink", "paper", 4.5), ("ink", "paper_soft", 4.5), ("ink_soft", "paper", 4.5), ("accent", "paper", 4.5),
    ("on_accent", "accent", 4.5), ("ok", "paper", 4.5), ("warn", "paper", 4.5), ("danger", "paper", 4.5),
    ("control", "paper", 3.0),
)  # fmt: skip
_COLOUR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})\Z", re.IGNORECASE)
_LENGTH = re.compile(r"\d{1,3}(\.\d{1,4})?(px|rem|em)\Z")


def _colour(value: str) -> None:
    if not _COLOUR.match(value):
        raise ValidationError("write a colour as #8a1538.")


def _length(value: str) -> None:
    if not _LENGTH.match(value):
        raise ValidationError("write a length such as 6px or 1rem.")


def _font(value: str) -> None:
    if not value or len(value) > 300 or any(char in value for char in ";{}<>\\/*()"):
        raise ValidationError("write names of fonts, separated by commas.")


class Dark(Schema):
    """``[theme.dark]``: the same colours, for those who prefer a dark page."""

    class Meta:
        unknown = RAISE
        include = {name: fields.String(validate=_colour) for name in LIGHT}


class Theme(Dark):
    """``[theme]``."""

    class Meta:
        unknown = RAISE

    font = fields.String(validate=_font)
    text = fields.String(validate=_length)
    radius = fields.String(validate=_length)
    gap = fields.String(validate=_length)
    dark = fields.Dict(keys=fields.String(), values=fields.String())


@dataclass(frozen=True, slots=True)
class Themed:
    """The theme of a site. ``whole`` is for our own frame; ``given``, only what was set for a light page, is for inside the
    intranet's look: whether that turns dark is not known, and its own stylesheets may say so.
    """

    whole: str
    given: str
    address: str = ""

    @property
    def version(self) -> str:
        return hashlib.sha256((self.whole + self.given).encode()).hexdigest()[:12]


def begin(settings: Settings) -> Themed | None:
    """The theme that is configured; None for ours.

    :raises ConfigError: for an unknown key, a value that is none, or two colours that cannot be read on each other.
    """
    whole = given = address = ""
    table = dict(settings.sections.get("theme", {}))
    if table:
        whole, given = _of_table(table)
    if settings.theme:
        file = Path(settings.theme)
        if settings.theme.startswith(("http://", "https://")):
            address, parts = settings.theme, urlsplit(settings.theme)
            check_origin(f"{parts.scheme}://{parts.netloc}", "theme")
        elif file.is_file():
            text = file.read_text(encoding="utf-8")
            whole, given = whole + text, given + text
        elif settings.theme.startswith("/"):
            address = settings.theme
        else:
            raise ConfigError(
                f"theme: the file {settings.theme} does not exist.",
                remedy="Name a stylesheet, or an address on the intranet.",
            )
    return Themed(whole, given, address) if whole or address else None


def _of_table(table: Mapping[str, Any]) -> tuple[str, str]:
    values = load_checked(Theme, table, where="[theme]")
    dark = load_checked(Dark, values.pop("dark"), where="[theme.dark]") if "dark" in values else None
    light = {name: value for name, value in values.items() if name in LIGHT}
    others = {name: value for name, value in values.items() if name not in LIGHT}
    check_contrast({**LIGHT, **light}, "[theme]")
    scheme = "light" if dark is None else "light dark"
    whole = f":root {{ color-scheme: {scheme}; {_properties({**LIGHT, **light, **others})} }}\n"
    given = f":root {{ {_properties({**light, **others})} }}\n"
    if dark is not None:
        check_contrast({**DARK, **dark}, "[theme.dark]")
        whole += f"@media (prefers-color-scheme: dark) {{ :root {{ {_properties({**DARK, **dark})} }} }}\n"
    more = dict.fromkeys(("ink", "ink_soft", "line", "control"), "CanvasText") | {"paper": "Canvas"}
    whole += f"@media (prefers-contrast: more) {{ :root {{ {_properties(more)} }} }}\n"
    return whole, given


def _properties(values: Mapping[str, str]) -> str:
    return " ".join(f"--rse-{name.replace('_', '-')}: {value};" for name, value in values.items())


def check_contrast(colours: Mapping[str, str], where: str) -> None:
    """:raises ConfigError: names the first pair whose contrast is too weak, with its ratio."""
    for over, under, least in PAIRS:
        ratio = contrast(colours[over], colours[under])
        if ratio < least:
            raise ConfigError(
                f"{where}: “{over}” {colours[over]} on “{under}” {colours[under]} has a contrast of {ratio:.1f}, "
                f"and {least:g} is needed to read it.",
                remedy="Choose a darker or a lighter one of the two.",
            )


def contrast(one: str, other: str) -> float:
    """The contrast of two colours ``#rrggbb``, 1 to 21 (WCAG 2.1, contrast ratio)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(char * 2 for char in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def theme_stylesheets() -> list[str]:
    """What a page of ours links last."""
    themed: Themed | None = current_app.extensions["rse_theme"]
    if themed is None:
        return []
    found = []
    if themed.whole:
        inside = 1 if layout.current() is not None else None
        found.append(url_for("rse_layout.theme", v=themed.version, inside=inside))
    return found + ([themed.address] if themed.address else [])


@layout.blueprint.get("/theme.css", endpoint="theme")
def stylesheet() -> Response:
    """The theme as a stylesheet."""
    themed: Themed | None = current_app.extensions["rse_theme"]
    text = "" if themed is None else themed.given if request.args.get("inside") else themed.whole
    answer = Response(text, content_type="text/css; charset=utf-8")
    fresh = themed is not None and request.args.get("v") == themed.version
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if fresh else "no-cache"
    return answer
