from __future__ import annotations

from html import unescape

import pytest

from rse_core.richtext import clean, render


@pytest.mark.parametrize("space", ["\u00a0", "\u202f", "\u2009", " "])
def test_the_spaces_of_french_typography_are_kept(space: str) -> None:
    text = f"À 12{space}h{space}30{space}: qui vient{space}?"
    assert clean(text) == text
    assert text in unescape(render(text, {}))


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\u202e", "\u2028", "\ue000", "\ufeff"])
def test_characters_that_command_or_deceive_are_not_kept(character: str) -> None:
    assert clean(f"avant{character}après") == "avantaprès"
