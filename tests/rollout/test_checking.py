"""``rse rollout check``: every fault is named, with the line on which it stands."""

from __future__ import annotations

import json

import pytest

from rse_core.errors import BadInput
from rse_core.levels import Level
from rse_core.rollout_check import checked, resolve
from rse_core.rollout_plan import parse, read, without_owner, write

PLAN = """\
name = "generalisation"

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
entities = ["*"]            # every entity that no earlier wave names
[wave.gate]
after = "pilot"
min_weeks = 24
connection_rate = 0.60
engagement_rate = 0.17
charter_acceptance = 0.50
"""


def test_a_plan_without_a_fault_passes(rse, plan_file, organisation):
    assert "no fault" in rse("rollout", "check", plan_file(PLAN))


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("starts = 2026-06-01", "start = 2026-06-01", 5, "“start” is not known. Did you mean “starts”?"),
        ("min_weeks = 24", "min_week = 24", 17, "“min_week” is not known. Did you mean “min_weeks”?"),
        ('name = "generalisation"', 'nom = "generalisation"', 1, "“nom” is not known"),
        ('"cpam-69"', '"cpam-96"', 7, "There is no entity “cpam-96”. Did you mean “cpam-69”?"),
        ('"communication"', '"comunication"', 8, "There is no group “comunication”. Did you mean “communication”?"),
        ('level = "contribute"', 'level = "contribue"', 6, "“contribue” is not a level."),
        ("starts = 2026-06-01", 'starts = "2026-06-01"', 5, "must be a date without quotes"),
        ("starts = 2027-01-01", "starts = 2026-05-01", 12, "out of order: “wave-1” starts on 2026-05-01, before “pilot”"),
        ("starts = 2027-01-01", "starts = 2026-10-01", 12, "its gate cannot hold before 2026-11-16"),
        ('entities = ["*"]', 'entities = ["cpam-13", "cpam-75"]', 14, "“pilot” and “wave-1” overlap: both name “cpam-75”"),
        ('after = "pilot"', 'after = "pilote"', 16, "No wave is called “pilote”. Did you mean “pilot”?"),
        ("connection_rate = 0.60", "connection_rate = 60", 18, "must be a share above 0 and up to 1"),
        ("min_weeks = 24", "min_weeks = -1", 17, "must be a whole number from 0 to 520"),
        ('name = "wave-1"', 'name = "pilot"', 11, "Two waves are called “pilot”."),
        ('name = "wave-1"', 'name = ""', 11, "A name is needed"),
        ('groups = ["communication"]', "groups = 3", 8, "must be a list of texts"),
        ("min_weeks = 24", "min_weeks = ", 17, "This is not TOML"),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_its_line(core, organisation, old, new, line, words, faults):
    assert PLAN.count(old) == 1
    found = faults(PLAN.replace(old, new))
    assert any(at == line and words in message for at, message in found), found


def test_gates_that_go_in_a_circle_are_named(core, organisation, faults):
    gate = '[wave.gate]\nafter = "wave-1"\nmin_weeks = 1\n'
    text = PLAN.replace('groups = ["communication"]\n', 'groups = ["communication"]\n' + gate)
    assert (10, "The gates go in a circle: pilot → wave-1 → pilot.") in faults(text)


def test_an_entity_named_after_every_entity_was_taken_overlaps(core, organisation, faults):
    text = PLAN + '\n[[wave]]\nname = "wave-2"\nstarts = 2027-06-01\nlevel = "comment"\nentities = ["cpam-13"]\n'
    assert any(line == 26 and "“wave-1” and “wave-2” overlap" in message for line, message in faults(text))


def test_all_faults_come_at_once_and_the_exit_code_is_1(rse, plan_file, organisation):
    bad = PLAN.replace('"cpam-69"', '"cpam-96"').replace("min_weeks", "min_week").replace('"comment"', '"koment"')
    said = rse("rollout", "check", plan_file(bad), code=1)
    assert [line.split(":")[0] for line in said.splitlines()] == ["line 7", "line 13", "line 17"]
    assert "The plan has 3 faults." in rse.last.stderr
    found = json.loads(rse("rollout", "check", plan_file(bad), "--json", code=1))
    assert (found["ok"], [one["line"] for one in found["faults"]]) == (False, [7, 13, 17])


def test_a_command_without_a_file_is_misuse_and_a_file_that_is_not_there_is_refused(rse, plan_file):
    rse("rollout", "check", code=2)
    rse("rollout", "check", "nowhere.toml", code=1)
    assert "There is no file nowhere.toml." in rse.last.stderr
    rse("rollout", "hold", "pilot", code=1)
    assert "There is no wave called “pilot”." in rse.last.stderr


def test_every_entity_is_all_that_no_earlier_wave_names_and_none_below_theirs(core, organisation):
    with core.db.read() as session:
        found = resolve(session, parse(PLAN))["wave-1"]
    assert set(found.entities) == {organisation["cpam-13"].id, organisation["cpam-59"].id}


def test_a_plan_written_back_is_the_same_plan(core, organisation):
    plan = parse(PLAN)
    assert parse(write(plan)) == plan
    assert plan.waves[0].level is Level.CONTRIBUTE
    odd = PLAN.replace('"cpam-75"', r'"a\"b\\c\u0001"')
    assert parse(write(parse(odd))).waves[0].entities[0] == 'a"b\\c\x01'


NONSENSE = ("", "x = 1", "wave = 3", "[[wave]]", "\x00", "name = " * 9, "[wave]\nname = 'x'", "[[wave]]\ngate = 3")


@pytest.mark.parametrize("text", NONSENSE)
def test_nonsense_is_refused_with_a_line_and_never_an_error_of_ours(core, text, faults):
    assert all(line >= 1 and message for line, message in faults(text))
    with core.db.read() as session, pytest.raises(BadInput):
        checked(session, text)


def test_an_endless_text_is_refused_at_once():
    assert read("x" * 300_000)[0] is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('owners = ["jean", "ben"]  # jean asks', 'owners = ["ben"]  # erased-7 asks'),
        ('owners = [\n  "jean", # he\n  \'ben\',\n]\nname = "jean"', 'owners = ["ben"]\nname = "jean"'),
        ('owners = ["jean.dupont"] # jean.dupont, jean-louis, jean.',
         'owners = ["jean.dupont"] # jean.dupont, jean-louis, erased-7.'),
        ('[[wave]]\nname = "jean # jean" # jean\ngroups = ["jean"]',
         '[[wave]]\nname = "jean # jean" # erased-7\ngroups = ["jean"]'),
    ],
)  # fmt: skip
def test_an_owner_is_taken_out_of_a_plan_and_nothing_else(before, after):
    assert without_owner(before, "jean", "erased-7") == after
