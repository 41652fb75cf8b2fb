"""``rse indicators``: figures on the screen and in files, a rebuild, a survey."""

from __future__ import annotations

import csv
import json
import zipfile

import pytest
from click.testing import CliRunner

from rse_core.cli import cli
from rse_core.commands import State

FEBRUARY = ("--from", "2026-02-01", "--to", "2026-02-28")


@pytest.fixture
def rse(site):
    def run(*args, code=0):
        result = CliRunner().invoke(cli, [str(a) for a in args], obj=State(lambda: site.core), env={"LC_ALL": "en"})
        assert result.exit_code == code, result.output + repr(result.exception)
        run.last = result
        return result.stdout

    return run


def test_show_prints_key_numerator_denominator_rate_and_what_is_suppressed(rse):
    found = json.loads(rse("indicators", "show", "--indicator", "engagement_rate", "--by", "entity", *FEBRUARY, "--json"))
    rows = {row["key"]: row for row in found}
    assert {"key", "numerator", "denominator", "rate", "suppressed"} <= set(found[0])
    assert rows["north"] == {
        "key": "north", "name": "North", "numerator": 15, "denominator": 43, "rate": 0.348837, "suppressed": False,
    }  # fmt: skip
    assert rows["east"]["suppressed"]
    assert rows["east"]["numerator"] is None
    assert "34.9 %  15 / 43" in rse("indicators", "show", "--indicator", "engagement_rate", "--by", "entity", *FEBRUARY)
    assert json.loads(rse("indicators", "show", "--indicator", "habit", *FEBRUARY, "--json"))[0]["key"] == "site"


def test_misuse_and_refusals_have_their_exit_codes(rse):
    rse("indicators", "show", code=2)
    rse("indicators", "show", "--indicator", "habit", "--by", "moon", code=2)
    rse("indicators", "show", "--indicator", "habit", "--from", "soon", code=2)
    rse("indicators", "show", "--indicator", "habitt", code=1)
    assert "Did you mean “habit”?" in rse.last.stderr
    rse("indicators", "show", "--indicator", "habit", "--by", "space", code=1)
    assert "cannot be told by space" in rse.last.stderr


def test_the_list_has_every_definition(rse):
    found = json.loads(rse("indicators", "list", "--json"))
    assert all(one["definition"] and one["denominator"] and one["source"] for one in found)
    assert {one["name"] for one in found} >= {"connection_rate", "engagement_rate", "habit", "active_communities"}


def test_files_are_written_as_csv_and_as_a_workbook(rse, tmp_path):
    rse("indicators", "export", tmp_path / "all.csv", "--by", "entity", *FEBRUARY)
    rows = list(csv.DictReader((tmp_path / "all.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["indicator"] for row in rows} >= {"connection_rate", "engagement_rate", "habit"}
    assert [row["rate"] for row in rows if row["suppressed"] == "true" and row["rate"]] == []
    rse("indicators", "export", tmp_path / "some.xlsx", "--indicator", "habit", *FEBRUARY)
    with zipfile.ZipFile(tmp_path / "some.xlsx") as book:
        assert "xl/workbook.xml" in book.namelist()
    assert rse("indicators", "export", "-", "--indicator", "habit", *FEBRUARY).startswith("indicator,by,from,to,")


def test_a_rebuild_changes_nothing_that_was_right(rse):
    show = ("indicators", "show", "--indicator", "engagement_rate", "--by", "entity", *FEBRUARY, "--json")
    before = rse(*show)
    assert "3 months were made again." in rse("indicators", "rebuild")
    assert rse(*show) == before


def test_a_survey_is_taken_over_from_a_file(rse, tmp_path):
    file = tmp_path / "survey.csv"
    file.write_text("date,entity,respondents,daily\n2026-02-15,,60,20\n2026-02-15,north,30,12\n", encoding="utf-8")
    assert "2 lines were taken over." in rse("indicators", "survey", file)
    file.write_text("date,entity,respondents,daily\n2026-02-15,nroth,30,12\n", encoding="utf-8")
    rse("indicators", "survey", file, code=1)
    assert "line 2: there is no entity “nroth”" in rse.last.stderr
