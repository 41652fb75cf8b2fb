"""``rse explain``: one question, and a file of them."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from click.testing import CliRunner

from rse_core.api import Capability, Level, Manifest, Plugin, hookimpl
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.content import ContentType
from rse_core.db import utcnow

KEYS = ["allowed", "mode", "reason", "message", "effective_level", "required_level", "opens_at", "trail"]


class Talk(Plugin):
    manifest = Manifest("talk", "Talk")

    @hookimpl
    def rse_capabilities(self):
        yield Capability("talk.read", "Read", Level.INFORM, writes=False)
        yield Capability("talk.comment", "Comment", Level.COMMENT, reviewed=True)


    @hookimpl
    def rse_content_types(self):
        yield ContentType("talk.broken", "broken", lambda _session, ids: {i: int(i) / 0 for i in ids})


@pytest.fixture
def rse_plugins():
    return [Talk()]


@pytest.fixture
def rse(core):
    def run(*args, code=0, input=None):
        result = CliRunner().invoke(cli, [str(a) for a in args], obj=State(lambda: core), input=input, env={"LC_ALL": "en"})
        assert result.exit_code == code, result.output
        return result.stdout

    return run


def test_the_answer_has_the_keys_of_the_contract_and_the_exit_code_says_it(rse, make_person):
    make_person("alice", level=Level.COMMENT)
    answer = json.loads(rse("explain", "--person", "alice", "--capability", "talk.comment", "--json"))
    assert list(answer) == KEYS
    assert (answer["allowed"], answer["mode"], answer["reason"], answer["opens_at"]) == (True, "open", "ok", None)
    assert [step["rule"] for step in answer["trail"]] == [
        "person", "capability", "object", "plugin", "level", "role", "archived", "charter", "suspension", "review",
    ]  # fmt: skip
    make_person("bob", level=Level.REACT)
    refused = json.loads(rse("explain", "--person", "bob", "--capability", "talk.comment", "--json", code=1))
    assert list(refused) == KEYS
    assert (refused["allowed"], refused["effective_level"], refused["required_level"]) == (False, 1, 2)


@pytest.mark.parametrize(
    ("person", "capability", "on", "reason"),
    [
        ("zoe", "talk.comment", None, "unknown_person"),
        ("alice", "talk.nothing", None, "unknown_capability"),
        ("alice", "talk.comment", "page:https://elsewhere.example/x", "unknown_object"),
        ("alice", "talk.comment", "page:relative", "unknown_object"),
        ("alice", "talk.comment", "nothing.here:12", "unknown_object"),
        ("alice", "talk.comment", "page:/news/12", "ok"),
        ("alice", "talk.comment", "page:https://intranet.example/news/12?utm_source=x", "ok"),
    ],
)
def test_each_kind_of_question_has_its_reason(rse, make_person, person, capability, on, reason):
    make_person("alice", level=Level.COMMENT)
    args = ["explain", "--person", person, "--capability", capability, "--json", *(["--on", on] if on else [])]
    assert json.loads(rse(*args, code=0 if reason == "ok" else 1))["reason"] == reason


def test_misuse_has_the_exit_code_2(rse, make_person):
    make_person("alice")
    rse("explain", code=2)
    rse("explain", "--person", "alice", code=2)
    rse("explain", "--person", "alice", "--capability", "talk.read", "--on", "no reference", code=2)
    rse("explain", "--person", "alice", "--capability", "talk.read", "--at", "yesterday", code=2)
    rse("explain", "--batch", "/no/such/file.jsonl", code=2)


def test_the_message_is_in_the_persons_language(rse, make_person, make_entity, set_level):
    entity = make_entity("north")
    for name, locale in (("anne", "fr"), ("bob", "en")):
        make_person(name, entity=entity, locale=locale)
    set_level(Level.COMMENT, entity=entity, starts_at=dt.datetime(2031, 1, 31, 23, tzinfo=dt.UTC))
    told = {
        name: json.loads(rse("explain", "--person", name, "--capability", "talk.comment", "--json", code=1))["message"]
        for name in ("anne", "bob")
    }
    assert told["anne"] == "«\u202fComment\u202f» s’ouvre pour votre entité le 1er février 2031."
    assert told["bob"] == "“Comment” opens for your entity on 1 February 2031."


def test_for_people_the_answer_is_a_sentence_and_the_trail(rse, make_person):
    make_person("bob", level=Level.REACT)
    said = rse("explain", "--person", "bob", "--capability", "talk.comment", code=1)
    assert "bob may not do this: talk.comment" in said
    assert "it takes the level “comment”, and yours here is “react”" in said
    assert "- level: required 2, effective 1" in said
    assert "level entity:entity-of-bob 1" in said


def test_a_file_of_questions_is_answered_line_by_line_in_order(rse, make_person, tmp_path):
    make_person("alice", level=Level.COMMENT)
    make_person("bob", level=Level.REACT)
    later = (utcnow() + dt.timedelta(days=1)).isoformat()
    lines = [
        {"person": "bob", "capability": "talk.comment"},
        {"person": "alice", "capability": "talk.comment", "on": "page:/news/1", "at": later},
        {"person": "zoe", "capability": "talk.read"},
        {"person": "alice", "capability": "talk.read", "on": None, "at": None},
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    for source, text in ((file, None), ("-", file.read_text("utf-8"))):
        answers = [json.loads(line) for line in rse("explain", "--batch", source, "--json", input=text).splitlines()]
        assert [answer["reason"] for answer in answers] == ["level", "ok", "unknown_person", "ok"]
        assert all(list(answer) == KEYS for answer in answers)


def test_a_bad_line_has_an_error_in_its_place_and_the_others_are_answered(rse, make_person):
    make_person("alice", level=Level.COMMENT)
    good = json.dumps({"person": "alice", "capability": "talk.read"})
    bad = [
        "not json", "[]", '"text"', "null", '{"person": "alice"}', '{"person": 1, "capability": "talk.read"}',
        '{"person": "alice", "capability": "talk.read", "on": "x"}',
        '{"person": "alice", "capability": "talk.read", "on": "page:\\ud800"}',
        '{"person": "alice", "capability": "talk.read", "at": "x"}',
        '{"person": "alice", "capability": "talk.read", "when": "now"}',
        '{"person": "a\\u0000", "capability": "talk.read"}', '{"person": "\\ud800", "capability": "talk.read"}',
        "[" * 100_000,
    ]  # fmt: skip
    text = "\n".join(line for other in bad for line in (good, other)) + "\n\n"
    answers = [json.loads(line) for line in rse("explain", "--batch", "-", "--json", input=text, code=1).splitlines()]
    assert len(answers) == 2 * len(bad)
    assert all(answer["allowed"] for answer in answers[::2])
    assert all(list(answer) == ["error"] and answer["error"] for answer in answers[1::2])


def test_an_object_whose_plugin_fails_is_refused_and_the_others_are_answered(rse, make_person, caplog):
    make_person("alice", level=Level.COMMENT)
    lines = [{"person": "alice", "capability": "talk.comment", "on": on} for on in (None, "talk.broken:x", "page:/news/1")]
    said = rse("explain", "--batch", "-", input="\n".join(map(json.dumps, lines)))
    assert [json.loads(line)["reason"] for line in said.splitlines()] == ["ok", "denied", "ok"]
    assert "ValueError" in caplog.text


def test_bytes_that_are_no_text_are_one_bad_line(rse, make_person):
    make_person("alice")
    good = b'{"person": "alice", "capability": "talk.read"}\n'
    said = rse("explain", "--batch", "-", input=good + b"\xff\xfe\n" + good, code=1)
    answers = [json.loads(line) for line in said.splitlines()]
    assert ["error" in answer for answer in answers] == [False, True, False]


def test_ten_thousand_questions_are_answered_in_few_queries(core, rse, make_entity, set_level):
    from sqlalchemy import insert

    from rse_core import policy
    from rse_core.models.organisation import Person
    from rse_core.testing import count_queries

    entity = make_entity("north")
    set_level(Level.COMMENT, entity=entity)
    people = [
        {"external_id": f"x{n}", "username": f"u{n}", "display_name": "P", "folded_name": "p", "entity_id": entity.id}
        for n in range(3_000)
    ]
    with core.db.write() as session:
        session.execute(insert(Person), people)
        policy.touch(session)
    lines = [
        json.dumps({"person": f"u{n % 3_000}", "capability": "talk.comment", "on": f"page:/news/{n % 50}"})
        for n in range(10_000)
    ]
    with count_queries(core) as counter:
        answers = rse("explain", "--batch", "-", "--json", input="\n".join(lines)).splitlines()
    assert len(answers) == 10_000
    assert all(answer.startswith('{"allowed":true,') for answer in answers)
    # By blocks of people and of pages, never one for each question.
    assert len(counter) < 200, str(counter)
