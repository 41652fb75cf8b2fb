"""A rollout plan as a text: TOML read into waves and gates, every fault with its line, and written back.

.. code-block:: toml

    name = "generalisation"
    owners = ["hdupont"]          # told when a wave opens or stays closed; the site's administrators when not given

    [[wave]]
    name = "pilot"
    starts = 2026-06-01
    level = "contribute"
    entities = ["cpam-75", "cpam-69"]
    groups = ["communication"]

    [[wave]]
    name = "wave-1"
    starts = 2027-01-01
    level = "comment"
    entities = ["*"]              # every entity that no earlier wave names
    [wave.gate]
    after = "pilot"
    min_weeks = 24
    connection_rate = 0.60
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import BadInput
from .i18n import _
from .levels import Level, parse_level
from .when import EARLIEST, LATEST

EVERY = "*"
#: What a gate may ask of the figures of the wave before, each a share from 0 to 1.
RATES = ("connection_rate", "engagement_rate", "contribution_rate", "charter_acceptance")
MAX_TEXT = 200_000
#: Figures are those of the last weeks before the gate is looked at, unless the gate says otherwise.
WINDOW_WEEKS = 4
_TOP = ("name", "owners", "wave")
_WAVE = ("name", "starts", "level", "entities", "groups", "gate")
_GATE = ("after", "min_weeks", "window_weeks", *RATES)
_NAME = re.compile(r"[^\W_][\w .-]{0,79}\Z")
_HEADER = re.compile(r"\s*\[\[?\s*([A-Za-z_]+)\s*(?:\.\s*([A-Za-z_]+)\s*)?\]")
_KEY = re.compile(r"""\s*["']?([\w-]+)["']?\s*=""")


@dataclass(frozen=True, slots=True)
class Gate:
    """What must hold of the wave ``after`` before another opens. ``rates``: indicator → the least share."""

    after: str
    min_weeks: int = 0
    window_weeks: int = WINDOW_WEEKS
    rates: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wave:
    """Who opens to which level on which day, midnight of the site's time zone. ``entities`` and ``groups`` are keys."""

    name: str
    starts: dt.date
    level: Level
    entities: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    gate: Gate | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole plan, its waves in order. ``owners`` are usernames."""

    name: str
    waves: tuple[Wave, ...]
    owners: tuple[str, ...] = ()

    def wave(self, name: str) -> Wave | None:
        """The wave of this name."""
        return next((wave for wave in self.waves if wave.name == name), None)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong, and on which line of the text (from 1)."""

    line: int
    message: str

    def __str__(self) -> str:
        return _("line %(line)s: %(fault)s", line=str(self.line), fault=self.message)


class Lines:
    """Where each key of the text stands: ``line(wave, section, key)``; ``wave`` is None at the top."""

    def __init__(self, text: str) -> None:
        self._found: dict[tuple[int | None, str, str], int] = {}
        wave: int | None = None
        section, count = "", -1
        self.waves = 0
        for number, line in enumerate(text.splitlines(), 1):
            if header := _HEADER.match(line):
                if header[2] is None and line.lstrip().startswith("[["):
                    count += 1
                    wave, section = count, ""
                    self.waves = count + 1
                else:
                    section = header[2] or header[1]
                self._found.setdefault((wave, section, ""), number)
            elif key := _KEY.match(line):
                self._found.setdefault((wave, section, key[1]), number)

    def line(self, wave: int | None, section: str = "", key: str = "") -> int:
        """The line of a key, else of its table, else the first."""
        places = ((wave, section, key), (wave, section, ""), (wave, "", ""))
        return next((self._found[place] for place in places if place in self._found), 1)


def near(text: str, known: Iterable[str]) -> str:
    """“Did you mean …?”, or nothing."""
    found = difflib.get_close_matches(text, list(known), n=1, cutoff=0.5)
    return " " + _("Did you mean “%(near)s”?", near=found[0]) if found else ""


def read(text: str) -> tuple[Plan | None, list[Fault], Lines]:
    """A plan from its text. The plan is None when the text is not even the outline of one.

    What depends on the organisation (do these entities exist?) is not looked at here: see :mod:`rse_core.rollout_check`.
    """
    lines = Lines(text)
    if len(text) > MAX_TEXT or "\x00" in text:
        return None, [Fault(1, _("The plan is longer than %(most)s characters, or not a text.", most=str(MAX_TEXT)))], lines
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        line = int(at[1]) if at else max(1, len(text.splitlines()))
        if "Invalid date" in str(error):
            return None, [Fault(line, _("There is no such day. Write a date as 2027-01-31, without quotes."))], lines
        return None, [Fault(line, _("This is not TOML: %(error)s.", error=str(error)))], lines
    except (ValueError, RecursionError):
        # Python reads no number of thousands of digits, and no table that stands in hundreds of others.
        message = _("The plan holds a number that is too long, or brackets within brackets without end.")
        return None, [Fault(1, message)], lines
    reader = _Reader(lines)
    plan = reader.plan(data)
    return plan, sorted(reader.faults), lines


def parse(text: str) -> Plan:
    """A plan from a text that was checked before.

    :raises BadInput: names the first fault.
    """
    plan, faults, _lines = read(text)
    if plan is None or faults:
        raise BadInput(str(faults[0]) if faults else _("This is not a plan."))
    return plan


class _Reader:
    """Reads what tomllib gave, noting faults instead of stopping at the first."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.faults: list[Fault] = []

    def note(self, sentence: str, wave: int | None = None, section: str = "", key: str = "") -> None:
        self.faults.append(Fault(self.lines.line(wave, section, key), sentence))

    def plan(self, data: Mapping[str, Any]) -> Plan | None:
        self._known(data, _TOP, None, "")
        name = self._name(data.get("name"), None)
        owners = self._texts(data.get("owners", []), None, "owners")
        tables = data.get("wave", [])
        if not isinstance(tables, list) or not tables or not all(isinstance(one, dict) for one in tables):
            self.note(_("The plan has no wave: begin each with [[wave]]."), None, "", "wave")
            return None
        waves = [self._wave(table, number) for number, table in enumerate(tables)]
        return Plan(name, tuple(wave for wave in waves if wave is not None), owners)

    def _wave(self, table: Mapping[str, Any], number: int) -> Wave | None:
        self._known(table, _WAVE, number, "")
        name = self._name(table.get("name"), number)
        starts, level = table.get("starts"), None
        if not isinstance(starts, dt.date) or isinstance(starts, dt.datetime):
            self.note(_("“starts” must be a date without quotes, such as 2027-01-31."), number, "", "starts")
            starts = None
        elif not EARLIEST <= starts <= LATEST:
            message = _("“starts” must be a day from %(first)s to %(last)s.", first=EARLIEST, last=LATEST)
            self.note(message, number, "", "starts")
            starts = None
        raw = table.get("level")
        try:
            if not isinstance(raw, str | int):
                raise BadInput(_("“level” must be one of the six levels."))
            level = parse_level(raw)
        except BadInput as error:
            self.note(str(error), number, "", "level")
        entities = self._texts(table.get("entities", []), number, "entities")
        groups = self._texts(table.get("groups", []), number, "groups")
        if not entities and not groups:
            self.note(_("The wave “%(name)s” names neither an entity nor a group.", name=name), number)
        gate = table.get("gate")
        found = self._gate(gate, number) if gate is not None else None
        if starts is None or level is None:
            return None
        return Wave(name, starts, level, entities, groups, found)

    def _gate(self, table: Any, number: int) -> Gate | None:
        if not isinstance(table, dict):
            self.note(_("A gate is a table: begin it with [wave.gate]."), number, "", "gate")
            return None
        self._known(table, _GATE, number, "gate")
        after = table.get("after")
        if not isinstance(after, str) or not after:
            self.note(_("A gate needs “after”, the name of the wave whose figures count."), number, "gate", "after")
            after = ""
        weeks = self._whole(table, "min_weeks", 0, 520, 0, number)
        window = self._whole(table, "window_weeks", 1, 104, WINDOW_WEEKS, number)
        rates: dict[str, float] = {}
        for key in RATES:
            if key not in table:
                continue
            value = table[key]
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
                message = _("“%(key)s” must be a share above 0 and up to 1, such as 0.60.", key=key)
                self.note(message, number, "gate", key)
            else:
                rates[key] = float(value)
        if not rates and not weeks:
            self.note(_("The gate asks nothing: give min_weeks or a rate."), number, "gate")
        return Gate(after, weeks, window, rates)

    def _whole(self, table: Mapping[str, Any], key: str, least: int, most: int, usual: int, number: int) -> int:
        value = table.get(key, usual)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            message = _("“%(key)s” must be a whole number from %(least)s to %(most)s.", key=key, least=least, most=most)
            self.note(message, number, "gate", key)
            return usual
        return value

    def _name(self, value: Any, wave: int | None) -> str:
        if not isinstance(value, str) or not _NAME.match(value):
            message = _("A name is needed: a letter or digit, then up to 79 letters, digits, spaces, dots and hyphens.")
            self.note(message, wave, "", "name")
            return "?"
        return value

    def _texts(self, value: Any, wave: int | None, key: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            self.note(_("“%(key)s” must be a list of texts in quotes.", key=key), wave, "", key)
            return ()
        return tuple(value)

    def _known(self, table: Mapping[str, Any], known: tuple[str, ...], wave: int | None, section: str) -> None:
        for key in table:
            if key not in known:
                message = _("The key “%(key)s” is not known.", key=key) + near(key, known)
                self.note(message, wave, section, key)


def write(plan: Plan) -> str:
    """The plan as TOML; what was noted in comments is not part of a plan."""
    parts = [f"name = {_quoted(plan.name)}"]
    if plan.owners:
        parts.append(f"owners = {_list(plan.owners)}")
    for wave in plan.waves:
        parts += ["", "[[wave]]", f"name = {_quoted(wave.name)}", f"starts = {wave.starts.isoformat()}"]
        parts.append(f"level = {_quoted(wave.level.name.lower())}")
        if wave.entities:
            parts.append(f"entities = {_list(wave.entities)}")
        if wave.groups:
            parts.append(f"groups = {_list(wave.groups)}")
        if wave.gate is not None:
            gate = wave.gate
            parts += ["[wave.gate]", f"after = {_quoted(gate.after)}", f"min_weeks = {gate.min_weeks}"]
            if gate.window_weeks != WINDOW_WEEKS:
                parts.append(f"window_weeks = {gate.window_weeks}")
            parts += [f"{key} = {rate}" for key, rate in gate.rates.items()]
    return "\n".join(parts) + "\n"


_COMMENT = re.compile(r"""("(?:[^"\\\n]|\\.)*"|'[^'\n]*')|\#[^\n]*""")


def without_owner(text: str, username: str, placeholder: str) -> str:
    """The text of a plan without one of its owners, whose name leaves the comments as well; everything else stays.

    >>> without_owner('owners = ["anna", "ben"]  # ask anna', "anna", "erased-7")
    'owners = ["ben"]  # ask erased-7'
    """
    head, mark, waves = text.partition("[[wave]]")

    def owners(match: re.Match[str]) -> str:
        try:
            named = tomllib.loads(match[0])["owners"]
        except tomllib.TOMLDecodeError:
            return match[0]
        if username not in named:
            return match[0]
        return f"owners = {_list(one for one in named if one != username)}"

    def comment(match: re.Match[str]) -> str:
        named = re.escape(username)
        return match[0] if match[1] else re.sub(rf"(?<![\w.-]){named}(?![\w-]|\.\w)", placeholder, match[0])

    head = re.sub(r"(?ms)^[ \t]*owners[ \t]*=[ \t]*\[[^\]]*\]", owners, head)
    return _COMMENT.sub(comment, head + mark + waves)


def _quoted(text: str) -> str:
    return '"' + re.sub(r'["\\\x00-\x1f\x7f]', _escaped, text) + '"'


def _escaped(match: re.Match[str]) -> str:
    return "\\" + match[0] if match[0] in '"\\' else f"\\u{ord(match[0]):04x}"


def _list(texts: Iterable[str]) -> str:
    return "[" + ", ".join(_quoted(text) for text in texts) + "]"
