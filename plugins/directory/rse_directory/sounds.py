"""How a name sounds in French: names that are spoken alike have the same key, however they are written.

The rules are our own, for names of people. Their ideas come from codes that were made for such names: FONEM (G. Bouchard,
P. Brard and Y. Lavoie, *Population* 36-6, 1981), for the registers of French families, and Phonex (F. Brouard, 1999).
Codes made for words of the dictionary spell out ends that are silent in names (Renault, Lefebvre).

A key is for comparison alone. It begins with a sign that no word has. ``1``, ``2``, ``3`` are the nasal vowels of *pin*,
*pan*, *pont*; ``C``, ``N``, ``Y`` the consonants of *chat*, *agneau*, *yeux*; ``E``, ``U``, ``W`` the vowels of *eux*, *ou*,
*oie*.
"""

from __future__ import annotations

import re
from functools import lru_cache

MARK = "~"
#: Letters of a word that has a key; sounds that a key has at least.
SHORTEST, FEWEST, LONGEST = 3, 2, 40
#: In this order, on a folded word. Capitals and digits are sounds: later rules leave them alone.
_RULES = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        # Consonants of several letters, and those that are read otherwise before some vowels.
        (r"(.)\1+", r"\1"),
        (r"ph", "f"),
        (r"^ng(?=u?[aeiouy])", "n"),
        (r"ch(?=[rln]|ael)|c?kh|ch$|c?qu|c?q|ck", "k"),
        (r"t?sch|tch|sh|ch", "C"),
        (r"gh", "g"),
        (r"dj", "j"),
        (r"(?<=[cgdtr])h|^h|(?<=[aeiouyY])h", ""),
        (r"(?<=n)coi", "soi"),
        (r"sc(?=[eiy])|c(?=[eiy])", "s"),
        (r"bv", "v"),
        (r"w", "v"),
        (r"er[ck]s?$", "eR"),
        (r"c", "k"),
        (r"es(?=n)", "e"),
        # Ends that are not heard.
        (r"ie[rzt]?s?$", "i"),
        (r"e[rzt]$|ets$", "e"),
        (r"(?<=n)[kg]$|(?<=r)g$|(?<=m)[pb]s?$|(?<=ou)p$", ""),
        (r"(?<=.[^szx])[sxz]+$", ""),
        (r"(?<=[iy])ene?$", "1"),
        (r"(?<!a)en$", "eM"),
        (r"a?ul?[tdx]s?$", lambda found: "o" if found.group()[0] == "a" else "u"),
        (r"(?<=.[^td])[tdsxz]+$", ""),
        # One s between vowels is written for two, and the other way round: both are one sound here.
        (r"z", "s"),
        (r"(?<=[aeou])il(?=$|e|[aou])|(?<=[aeou])i?y(?=[aeou1])|(?<=[i])y(?=[aeou1])", "Y"),
        (r"gu(?=[eiyY])", "G"),
        (r"ge(?=[aou])|g(?=[eiy])", "j"),
        (r"G", "g"),
        (r"je(?=[aou])", "j"),
        (r"gn|ni(?=[aeou123])", "N"),
        # Vowels of several letters, then nasal ones, which nothing spoken follows.
        (r"y", "i"),
        (r"oeu|oe(?=u)|eu|oe(?=[bcdfgjkmnprstvzN])", "E"),
        (r"(?:[ae]i|i|u)[nm](?![aeiounmEUWY])", "1"),
        (r"oi(?=1)|oin(?![aeiounmEUWY])", "W1"),
        (r"a?e?[ae][nm](?![aeiounmEUWY])", "2"),
        (r"[oE][nm](?![aeiounmEUWY])", "3"),
        (r"eau|au", "o"),
        (r"oi", "W"),
        (r"ou", "U"),
        (r"ai|ei|ae", "e"),
        (r"e+$", ""),
        (r"R", "r"),
        (r"M", "n"),
        (r"(.)\1+", r"\1"),
    )
)


@lru_cache(maxsize=4096)
def key(word: str) -> str:
    """The key of a folded word; "" for one that is too short, or not of the letters that French is written with."""
    if len(word) < SHORTEST or not (word.isascii() and word.isalpha()):
        return ""
    for pattern, sound in _RULES:
        word = pattern.sub(sound, word)
    return MARK + word[:LONGEST] if len(word) >= FEWEST else ""
