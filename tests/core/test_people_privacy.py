"""Export and erasure of what is kept about a person, the plugins' data too."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import String, func, select

from rse_core import audiences, organisation, people, privacy, roles
from rse_core.audit import Actor, entries
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.contributions import PersonalData
from rse_core.db import metadata, utcnow
from rse_core.errors import PluginError
from rse_core.identity import Identity
from rse_core.models.organisation import Person, PersonIdentity
from rse_core.models.rollout import RolloutPlan
from rse_core.models.runtime import Preference, Visit
from rse_core.plugin import Manifest, Plugin, hookimpl

ACTOR = Actor("cli:tests")
#: Nothing that is written in a test about anybody else holds this word.
NAME = "wilhelmine"


class Diary(Plugin):
    """A plugin that keeps lines about people, in memory."""

    manifest = Manifest(name="diary", label="Diary")

    def __init__(self) -> None:
        self.lines: dict[int, list[str]] = {}
        self.broken = False

    def _erase(self, _session, person_id):
        if self.broken:
            raise RuntimeError("the diary is locked")
        return len(self.lines.pop(person_id, []))

    @hookimpl
    def rse_personal_data(self):
        def export(_session, person_id):
            return [{"line": line} for line in self.lines.get(person_id, [])]

        return [PersonalData("diary.lines", "Lines", "To remember", export, self._erase)]


@pytest.fixture
def diary(use_plugin):
    plugin = Diary()
    plugin.core = use_plugin(plugin)
    return plugin


@pytest.fixture
def wilhelmine(diary):
    """Somebody with a trace in every corner of the core."""
    core = diary.core
    with core.db.write() as session:
        entity = organisation.add_entity(session, "north", "North")
        group = organisation.add_group(session, "choir", "Choir")
        space = organisation.add_space(session, "garden", "Garden")
        person = people.add(
            session,
            external_id=f"x-{NAME}",
            username=NAME,
            display_name=NAME.title(),
            email=f"{NAME}@example.org",
            entity_id=entity.id,
            job_title=f"{NAME}'s job",
        )
        people.add(session, external_id="x-bob", username="bob", display_name="Bob", manager_id=person.id)
        organisation.join_group(session, group.id, person.id)
        organisation.join_space(session, space.id, person.id, "owner")
        roles.grant(session, person.id, "site_admin", actor=ACTOR, why=f"{NAME} asked")
        own = Actor(NAME, person.id)
        roles.grant(session, people.by_username(session, "bob").id, "site_admin", actor=own)
        session.add(PersonIdentity(issuer="header", subject=NAME, person_id=person.id))
        session.add(Visit(day=utcnow().date(), person_id=person.id))
        session.add(Preference(person_id=person.id, key="comments.sort", value="newest"))
        plan = f'# ask {NAME}\nname = "plan"\nowners = [\n  "{NAME}", "bob",\n]\n'
        session.add(RolloutPlan(name="plan", text=plan, version=2, applied_version=2, saved_by=NAME, applied_by=NAME))
        session.flush()
        diary.lines[person.id] = ["dear diary"]
        return person


def where_the_name_stands(core) -> list[str]:
    """Every text column of every table in which the name can still be found."""
    found = []
    with core.db.read() as session:
        for table in metadata.sorted_tables:
            if not table.name.startswith("rse_core_"):
                continue
            for column in table.columns:
                text = func.lower(column.cast(String))
                if session.scalar(select(func.count()).select_from(table).where(text.contains(NAME))):
                    found.append(f"{table.name}.{column.name}")
    return found


def test_an_export_holds_every_kind_of_data_and_is_json(diary, wilhelmine):
    with diary.core.db.read() as session:
        found = privacy.export(session, wilhelmine.id)
    sections = {s["name"]: s["rows"] for s in json.loads(json.dumps(found))["sections"]}
    assert sections["core.profile"][0]["email"] == f"{NAME}@example.org"
    assert sections["core.profile"][0]["entity"] == "North"
    assert sections["core.identities"][0]["subject"] == NAME
    assert {"group": "Choir"} in sections["core.memberships"]
    assert sections["core.roles"][0]["role"] == "site_admin"
    assert {"preference": "comments.sort", "value": "newest"} in sections["core.use"]
    assert sections["core.acts"][0]["act"] == "role.grant"
    assert sections["diary.lines"] == [{"line": "dear diary"}]
    assert all(s["label"] and s["purpose"] for s in found["sections"])


def test_after_an_erasure_the_name_stands_nowhere(diary, wilhelmine):
    assert len(where_the_name_stands(diary.core)) > 5
    with diary.core.db.write() as session:
        counts = privacy.erase(session, wilhelmine.id, actor=ACTOR)
    assert where_the_name_stands(diary.core) == []
    assert counts["diary.lines"] == 1
    assert diary.lines == {}


def test_an_erased_person_keeps_a_row_without_a_name_and_can_do_nothing(diary, wilhelmine):
    with diary.core.db.write() as session:
        privacy.erase(session, wilhelmine.id, actor=ACTOR, why="asked for")
    with diary.core.db.read() as session:
        person = session.get_one(Person, wilhelmine.id)
        assert (person.status, person.username) == ("disabled", f"erased-{person.id}")
        assert privacy.is_erased(person)
        assert people.names(session, [person.id])[person.id].active is False
        assert audiences.of_person(session, person.id) == frozenset()
        assert not roles.is_site_admin(session, person.id)
        assert people.for_identity(session, Identity("header", NAME)) is None
        assert people.by_username(session, "bob").manager_id is None
        entry = entries(session, act="privacy.erase")[0]
        assert (entry.subject, entry.why) == (f"person:erased-{person.id}", "asked for")


def test_when_one_plugin_fails_nothing_is_erased_and_it_is_named(diary, wilhelmine):
    diary.broken = True
    before = where_the_name_stands(diary.core)
    with pytest.raises(PluginError, match="diary"), diary.core.db.write() as session:
        privacy.erase(session, wilhelmine.id, actor=ACTOR)
    assert where_the_name_stands(diary.core) == before


def test_the_commands_export_to_a_private_file_and_ask_before_erasing(diary, wilhelmine, tmp_path):
    def rse(*words, **more):
        return CliRunner().invoke(cli, ["privacy", *words], obj=State(lambda: diary.core), **more)

    file = tmp_path / "mine.json"
    assert rse("export", NAME, "-o", str(file)).exit_code == 0
    assert file.stat().st_mode & 0o077 == 0
    assert json.loads(file.read_text(encoding="utf-8"))["person"] == NAME
    assert json.loads(rse("export", NAME).stdout)["person"] == NAME
    assert rse("erase", NAME, input="n\n").exit_code == 1
    assert where_the_name_stands(diary.core)
    done = rse("erase", NAME, "--yes", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["erased"]["diary.lines"] == 1
    assert where_the_name_stands(diary.core) == []


def test_an_erased_owner_leaves_the_plans_which_stay_as_they_were_applied(diary, wilhelmine):
    with diary.core.db.write() as session:
        privacy.erase(session, wilhelmine.id, actor=ACTOR)
    with diary.core.db.read() as session:
        plan = session.scalars(select(RolloutPlan)).one()
    assert plan.text == f'# ask erased-{wilhelmine.id}\nname = "plan"\nowners = ["bob"]\n'
    assert (plan.version, plan.applied_version) == (3, 3)


def test_visits_are_found_by_person(diary):
    from sqlalchemy import inspect

    with diary.core.db.read() as session:
        indexes = inspect(session.connection()).get_indexes("rse_core_visit")
    assert ["person_id"] in [index["column_names"] for index in indexes]
