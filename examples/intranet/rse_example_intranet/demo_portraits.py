"""Portraits of people who do not exist: drawn, so that nobody's photograph is needed; each always the same."""

from __future__ import annotations

from io import BytesIO
from random import Random

from PIL import Image, ImageDraw

SIDE = 480
CUTS = ("short", "beard", "chin", "long", "knot")
#: Drawn so many times larger, then made smaller: smooth edges.
_TIMES = 2
_GROUNDS = ("#dbe7f3", "#e6efe0", "#f6e9d8", "#ece3f2", "#dff0ee", "#f5e1e1")
_SKINS = ("#f3d3bd", "#e6b898", "#c68d64", "#9a6544", "#6f4530", "#f0c7a6")
_HAIRS = ("#2b211d", "#4a3222", "#7a5230", "#b98b4e", "#8d8d8d", "#5f2f22")
_CLOTHES = ("#274c77", "#52796f", "#7a3b46", "#3d405b", "#8a5a2b", "#33658a")


def portrait(name: str, looks: str) -> bytes:
    """A picture as PNG, :data:`SIDE` pixels wide and high; always the same.

    :param looks: ``cut skin hair``: one of :data:`CUTS`, and places in the lists of colours.
    """
    chosen = Random(f"portrait {name}")  # noqa: S311 - a drawing, not a secret
    side = SIDE * _TIMES
    image = Image.new("RGB", (side, side), chosen.choice(_GROUNDS))
    draw = ImageDraw.Draw(image)
    cut, skin_at, hair_at = looks.split()
    skin, hair, clothes = _SKINS[int(skin_at)], _HAIRS[int(hair_at)], chosen.choice(_CLOTHES)

    def at(*points: float) -> list[float]:
        return [point * side for point in points]

    if cut == "long":
        draw.rounded_rectangle(at(0.27, 0.20, 0.73, 0.78), radius=0.20 * side, fill=hair)
    elif cut == "chin":
        draw.rounded_rectangle(at(0.28, 0.19, 0.72, 0.60), radius=0.17 * side, fill=hair)
    elif cut == "knot":
        draw.ellipse(at(0.41, 0.08, 0.59, 0.26), fill=hair)
    draw.rounded_rectangle(at(0.16, 0.74, 0.84, 1.30), radius=0.20 * side, fill=clothes)
    draw.rounded_rectangle(at(0.42, 0.55, 0.58, 0.80), radius=0.07 * side, fill=_darker(skin))
    draw.ellipse(at(0.32, 0.22, 0.68, 0.66), fill=skin)
    draw.pieslice(at(0.30, 0.17, 0.70, 0.62), 180, 360, fill=hair)
    draw.ellipse(at(0.34, 0.315, 0.66, 0.50), fill=skin)
    ink = "#2a2422"
    for eye in (0.425, 0.575):
        draw.ellipse(at(eye - 0.018, 0.425, eye + 0.018, 0.461), fill=ink)
    if chosen.random() < 0.4:
        for eye in (0.425, 0.575):
            draw.ellipse(at(eye - 0.062, 0.385, eye + 0.062, 0.505), outline=ink, width=6)
        draw.line(at(0.487, 0.44, 0.513, 0.44), fill=ink, width=6)
    draw.arc(at(0.43, 0.47, 0.57, 0.58), 25, 155, fill=ink, width=7)
    if cut == "beard":
        draw.chord(at(0.335, 0.30, 0.665, 0.67), 20, 160, fill=hair)
        draw.arc(at(0.45, 0.50, 0.55, 0.575), 20, 160, fill=skin, width=7)
    made = BytesIO()
    image.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(made, "PNG")
    return made.getvalue()


def _darker(colour: str) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"#{red * 9 // 10:02x}{green * 9 // 10:02x}{blue * 9 // 10:02x}"
