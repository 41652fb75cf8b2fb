"""A small organisation, a plan for it, and the command line in English."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from rse_core import roles
from rse_core.api import Actor, Capability, Level, Manifest, Plugin, hookimpl
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.i18n import use_locale
from rse_core.rollout_check import faults_of
from rse_core.testing.organisation import make_entity, make_group, make_person

# A module beside the tests, under a name that no other folder has.
_spec = importlib.util.spec_from_file_location("rollout_company", Path(__file__).with_name("company.py"))
sys.modules[_spec.name] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules[_spec.name])


class Talk(Plugin):
    manifest = Manifest("talk", "Talk")

    @hookimpl
    def rse_capabilities(self):
        yield Capability("talk.react", "React", Level.REACT)
        yield Capability("talk.comment", "Comment", Level.COMMENT)
        yield Capability("talk.post", "Post", Level.CONTRIBUTE)


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
entities = ["*"]
[wave.gate]
after = "pilot"
min_weeks = 24
connection_rate = 0.60
engagement_rate = 0.17
"""
#: The same without a gate, and both waves in the future of the tests' clock.
FREE = PLAN[: PLAN.index("[wave.gate]")]


@pytest.fixture(autouse=True)
def english():
    with use_locale("en"):
        yield


@pytest.fixture
def rse_plugins():
    return [Talk()]


@pytest.fixture
def organisation(core):
    """Two pilot entities, one with a unit below it, two others, and a group: name → row."""
    found = {key: make_entity(core, key) for key in ("cpam-75", "cpam-69", "cpam-13", "cpam-59")}
    found["unit"] = make_entity(core, "unit-75", parent=found["cpam-75"])
    found["communication"] = make_group(core, "communication")
    for name, entity, groups in (
        ("paris", "cpam-75", ()), ("unit", "unit", ()), ("lyon", "cpam-69", ()), ("lille", "cpam-59", ()),
        ("marseille", "cpam-13", ()), ("spokesman", "cpam-13", ("communication",)),
    ):  # fmt: skip
        found[name + "!"] = make_person(
            core, name, entity=found[entity], groups=[found[group] for group in groups]
        )
    found["nobody!"] = make_person(core, "nowhere")
    return found


@pytest.fixture
def rse(core):
    """``rse("rollout", "check", file, code=1)`` gives the output; ``rse.last`` is the whole result."""

    def run(*args, code=0):
        result = CliRunner().invoke(cli, [str(a) for a in args], obj=State(lambda: core), env={"LC_ALL": "en"})
        assert result.exit_code == code, result.output + repr(result.exception)
        run.last = result
        return result.stdout

    return run


@pytest.fixture
def plan_file(tmp_path):
    """Writes a plan and gives its file."""

    def write(text=PLAN, name="plan.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def faults(core):
    """``faults(text)``: what is wrong with a plan, each with its line."""

    def check(text):
        with core.db.read() as session:
            return [(fault.line, fault.message) for fault in faults_of(session, text)]

    return check


@pytest.fixture
def level(core):
    """``level("paris")``: the level of somebody, as decisions are made."""
    from sqlalchemy import select

    from rse_core import policy
    from rse_core.models.organisation import Person

    def of(username):
        with core.db.read() as session:
            ident = session.scalar(select(Person.id).where(Person.username == username))
            return int(policy.level_of(session, ident))

    return of


@pytest.fixture
def gated():
    return PLAN


@pytest.fixture
def free():
    """The plan without its gate."""
    return FREE


@pytest.fixture
def boss(core, organisation):
    made = make_person(core, "boss", locale="en")
    with core.db.write() as session:
        roles.grant(session, made.id, "site_admin", actor=Actor("test"))
    return made


@pytest.fixture
def page(rse_client, as_person, boss):
    """``page.get(path)`` and ``page.post(path, …)`` as the administrator: status and text."""

    class Page:
        def __init__(self, person):
            self.client = as_person(rse_client, person) or rse_client

        def get(self, path):
            answer = self.client.get("/rse/admin/rollout/" + path)
            return answer.status_code, answer.get_data(as_text=True)

        def post(self, path, **form):
            html = self.client.get("/rse/admin/rollout/").get_data(as_text=True)
            token = re.search(r'name="csrf_token" value="([^"]+)"', html)
            form["csrf_token"] = token[1] if token else ""
            answer = self.client.post("/rse/admin/rollout/" + path, data=form, headers={"Origin": "http://localhost"})
            return answer.status_code, answer.get_data(as_text=True)

    return Page(boss)
