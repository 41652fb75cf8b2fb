"""``can()`` beside pycasbin, the same questions in the same run: may this person do this on a page of that section?

Entities in a tree have levels, two groups have higher ones, two sections are capped, 1,000 people ask. pycasbin is given
its usual RBAC model (people are in entities, entities stand at levels, a level includes those below it) with a line for
each capability and section, and the caps as lines left out. Both must give the same answer to every question before a
clock starts.

    python -m benchmarks.can
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import casbin

from rse_core import audiences, levelsets, migrate, organisation, people, policy
from rse_core.api import Capability, Level, Manifest, ObjectRef, Plugin, hookimpl
from rse_core.audit import Actor
from rse_core.runtime import Core
from rse_core.settings import Settings
from rse_core.subjects import Target

PEOPLE, ENTITIES, QUESTIONS, ROUNDS = 1_000, 20, 2_000, 7
SECTIONS = [f"/section{n}" for n in range(10)]
CAPS = {"/section0": 1, "/section1": 2}
CAPABILITIES = {"talk.look": 0, "talk.react": 1, "talk.comment": 2, "talk.post": 3, "talk.plan": 4, "talk.found": 5}

MODEL = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
"""


class Talk(Plugin):
    """One capability at each level."""

    manifest = Manifest("talk", "Talk")

    @hookimpl
    def rse_capabilities(self) -> Iterator[Capability]:
        for key, level in CAPABILITIES.items():
            yield Capability(key, key, Level(level))


@contextlib.contextmanager
def running_core() -> Iterator[Core]:
    """A core on a fresh SQLite file, watching as a server does."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            database_url=f"sqlite:///{folder}/rse.db", secret_key="for a measurement", worker=False,
            legacy_origins=("https://intranet.example",),
        )  # fmt: skip
        core = Core(settings, plugins=[Talk()])
        try:
            migrate.upgrade(core)
            core.policy.start()
            yield core
        finally:
            core.close()


def organise(core: Core, rng: random.Random) -> tuple[dict[int, set[str]], dict[str, int]]:
    """Fill both sides' organisation: person → roles for pycasbin, and each role's level."""
    actor = Actor("benchmark")
    roles: dict[str, int] = {}
    members: dict[int, set[str]] = {}
    with core.db.write() as session:
        entities: list[tuple[int, int]] = []
        for number in range(ENTITIES):
            parent = rng.choice([None, *entities]) if entities else None
            entity = organisation.add_entity(session, f"e{number}", f"E{number}", parent[0] if parent else None)
            level = rng.randrange(6) if parent is None or rng.random() < 0.5 else parent[1]
            if parent is None or level != parent[1]:
                levelsets.place(session, levelsets.of_id(session, "entity", entity.id), level, actor=actor)
            entities.append((entity.id, level))
            roles[f"entity:{entity.id}"] = level
        groups = []
        for number, level in enumerate((2, 4)):
            group = organisation.add_group(session, f"g{number}", f"G{number}")
            levelsets.place(session, levelsets.of_id(session, "group", group.id), level, actor=actor)
            groups.append(group)
            roles[f"group:{group.id}"] = level
        for section, level in CAPS.items():
            levelsets.place(session, levelsets.locate(session, "section", section), level, actor=actor, kind="cap")
        for number in range(PEOPLE):
            entity_id = rng.choice(entities)[0]
            person = people.add(
                session, external_id=f"x{number}", username=f"p{number}", display_name=f"P{number}", entity_id=entity_id
            )
            members[person.id] = {f"entity:{entity_id}"}
            for group in groups:
                if rng.random() < 0.1:
                    organisation.join_group(session, group.id, person.id)
                    members[person.id].add(f"group:{group.id}")
        audiences.refresh(session)
        policy.touch(session)
    return members, roles


def casbin_enforcer(members: dict[int, set[str]], roles: dict[str, int]) -> casbin.Enforcer:
    """The same facts in pycasbin's words."""
    model = casbin.Model()
    model.load_model_from_text(MODEL)
    enforcer = casbin.Enforcer(model)
    for level in range(1, 6):
        enforcer.add_grouping_policy(f"level:{level}", f"level:{level - 1}")
    for role, level in roles.items():
        enforcer.add_grouping_policy(role, f"level:{level}")
    for person, some in members.items():
        for role in some:
            enforcer.add_grouping_policy(f"person:{person}", role)
    for capability, level in CAPABILITIES.items():
        for section in SECTIONS:
            if level <= CAPS.get(section, 5):
                enforcer.add_policy(f"level:{level}", section, capability)
    return enforcer


def per_call(ask: Callable[[], None], number: int) -> float:
    """Microseconds for each question, the best of the rounds: what is more is other programs' time."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        ask()
        times.append((time.perf_counter() - start) / number * 1e6)
    return min(times)


def run() -> dict[str, float]:
    """Measure; microseconds for each question, and the ratio."""
    rng = random.Random(20_261_123)
    with running_core() as core, core.db.read() as session:
        members, roles = organise(core, rng)
        enforcer = casbin_enforcer(members, roles)
        everyone = core.policy.everyone()
        targets = {s: Target(everyone, (s,), ref=ObjectRef("page", s)) for s in SECTIONS}
        chosen = [
            (rng.choice(list(members)), rng.choice(list(CAPABILITIES)), rng.choice(SECTIONS)) for _ in range(QUESTIONS)
        ]
        ours = [(person, capability, targets[section]) for person, capability, section in chosen]
        theirs = [(f"person:{person}", section, capability) for person, capability, section in chosen]
        start = time.perf_counter()
        answers = [bool(policy.can(session, *question)) for question in ours]
        cold = (time.perf_counter() - start) / len(ours) * 1e6
        if answers != [enforcer.enforce(*question) for question in theirs]:
            raise SystemExit("the two do not agree: the comparison is worth nothing")
        can = policy.can

        def ask_us() -> None:
            for person, capability, target in ours:
                can(session, person, capability, target)

        def ask_casbin() -> None:
            for question in theirs:
                enforcer.enforce(*question)

        warm, peer = per_call(ask_us, len(ours)), per_call(ask_casbin, len(theirs))
    return {
        "allowed": sum(answers) / len(answers), "can_warm_us": warm, "can_first_us": cold, "pycasbin_us": peer,
        "ratio": peer / warm,
    }  # fmt: skip


def main() -> None:
    """Print the figures."""
    found = run()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores; {PEOPLE} people, {QUESTIONS} questions, "
          f"{found['allowed']:.0%} allowed")  # fmt: skip
    print(f"can(), warm             {found['can_warm_us']:8.2f} µs a question (aim: under 5)")
    print(f"can(), first time       {found['can_first_us']:8.1f} µs a question (facts of the person loaded)")
    print(f"pycasbin, the same      {found['pycasbin_us']:8.1f} µs a question")
    print(f"ratio                   {found['ratio']:8.1f} (aim: at least 20)")


if __name__ == "__main__":
    main()
