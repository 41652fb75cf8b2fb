"""The worked examples of ``docs/cursor.md``, read from the page and played with the command line."""

from __future__ import annotations

import datetime as dt
import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from rse_core.cli import cli
from rse_core.commands import State
from rse_core.decision import Reason
from rse_core.levels import Level, parse_level

PAGE = Path(__file__).parents[2] / "docs" / "cursor.md"
EXAMPLE = re.compile(r"### (?P<title>.+?)\n\n<!-- example -->\n```\n(?P<acts>.+?)```\n\n(?P<table>(?:\|[^\n]+\n)+)", re.S)


def table(text):
    head, _rule, *rows = ([cell.strip() for cell in line.strip()[1:-1].split("|")] for line in text.splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


def examples():
    found = [(m["title"], m["acts"].splitlines(), table(m["table"])) for m in EXAMPLE.finditer(PAGE.read_text("utf-8"))]
    assert len(found) == PAGE.read_text("utf-8").count("<!-- example -->")
    return found


@pytest.fixture
def organisation(make_entity, make_group, make_person):
    head = make_entity("head-office")
    north, south = make_entity("north", parent=head), make_entity("south", parent=head)
    lille = make_entity("lille", parent=north)
    ambassadors = make_group("ambassadors")
    make_person("alice", entity=lille)
    make_person("bob", entity=north)
    make_person("carol", entity=south, groups=[ambassadors])
    make_person("dora")


@pytest.fixture
def rse(core):
    def run(*args):
        return CliRunner().invoke(cli, list(args), obj=State(lambda: core), env={"LC_ALL": "en"})

    return run


@pytest.mark.parametrize(("title", "acts", "rows"), examples(), ids=lambda value: value if isinstance(value, str) else "")
def test_an_example_of_the_page_holds(organisation, rse, title, acts, rows):
    for act in acts:
        program, *args = shlex.split(act)
        assert program == "rse"
        result = rse(*args)
        assert result.exit_code == 0, f"{act}: {result.output}"
    for row in rows:
        args = ["explain", "--person", row["person"], "--capability", "talk.found", "--json"]
        args += ["--on", row["on"]] if row["on"] else []
        args += ["--at", row["at"]] if row.get("at") else []
        answer = json.loads(rse(*args).stdout)
        assert answer["effective_level"] == int(row["reaches"]), f"{title}: {row}"


def test_the_opening_that_the_page_promises(organisation, rse):
    acts = next(acts for title, acts, _rows in examples() if title.startswith("A wave"))
    for act in acts:
        rse(*shlex.split(act)[1:])
    answer = json.loads(
        rse("explain", "--person", "alice", "--capability", "talk.comment", "--at", "2027-01-15", "--json").stdout
    )
    opens = dt.datetime.fromisoformat(answer["opens_at"])
    assert opens == dt.datetime(2027, 1, 31, 23, tzinfo=dt.UTC)
    assert "1 February 2027" in PAGE.read_text("utf-8")


def test_the_scale_and_the_reasons_of_the_page_are_those_of_the_code():
    text = PAGE.read_text("utf-8")
    names = re.findall(r"^\| (\d) \| ([\w-]+) \| ([\wé-]+) \|$", text, re.M)
    assert [int(number) for number, _en, _fr in names] == [int(level) for level in Level]
    assert all(parse_level(en) == parse_level(fr) == int(number) for number, en, fr in names)
    assert set(re.findall(r"\| `(\w+)` \|$", text, re.M)) == set(Reason) - {"ok"}
