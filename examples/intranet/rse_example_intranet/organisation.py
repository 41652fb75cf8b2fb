"""Organisations of any size in the three CSV files that ``rse people import`` reads."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from random import Random

from rse_example_intranet.content import fold
from rse_example_intranet.names import FIRST_NAMES, JOBS, SURNAMES, TOWNS

MAIL_DOMAIN = "assurance-publique.example"


@dataclass(frozen=True)
class EntityRow:
    """A line of ``entities.csv``; ``parent_id`` is empty for a root."""

    entity_id: str
    name: str
    parent_id: str


@dataclass(frozen=True)
class PersonRow:
    """A line of ``people.csv``, in the order of its columns."""

    external_id: str
    username: str
    display_name: str
    email: str
    entity_id: str
    job_title: str
    manager_external_id: str
    is_manager: str
    locale: str
    phone: str
    site: str


@dataclass(frozen=True)
class GroupRow:
    """A line of ``groups.csv``: one member of one group."""

    group_id: str
    name: str
    external_id: str


@dataclass(frozen=True)
class OrganisationFiles:
    """The paths of the three files of one organisation."""

    entities: Path
    people: Path
    groups: Path


def generate_organisation(folder: Path, *, people: int = 75_000, entities: int = 156, seed: int = 2026) -> OrganisationFiles:
    """Write a large organisation into ``folder`` and return its three files.

    A root, regional offices under it, branches under these: three levels. Entities differ in size as they
    do in life (the largest holds a few per cent of everybody, most are small). One person in about twelve
    manages; every chain of managers ends at the root's. Groups: all managers, ``communication`` (1 %) and
    ``ambassadeurs`` (2 %). The same arguments give the same bytes.

    :param people: how many people, at least one for each entity.
    :param entities: how many entities in all, at least one.
    :raises ValueError: when there are fewer people than entities.
    """
    if entities < 1 or people < entities:
        raise ValueError(
            f"An organisation needs at least one entity and as many people as entities; "
            f"{people} people and {entities} entities were asked for."
        )
    random = Random(seed)  # noqa: S311 - invented people, not secrets
    tree = _large_tree(random, entities)
    files = OrganisationFiles(folder / "entities.csv", folder / "people.csv", folder / "groups.csv")
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(files.entities, EntityRow, map(astuple, tree))
    members = _large_people(random, tree, people)
    write_rows(files.people, PersonRow, members)
    groups = [("managers", "Encadrement", row[0]) for row in members if row[7] == "true"]
    externals = [row[0] for row in members]
    groups += [("communication", "Communication", e) for e in sorted(random.sample(externals, people // 100))]
    groups += [("ambassadeurs", "Ambassadeurs", e) for e in sorted(random.sample(externals, people // 50))]
    write_rows(files.groups, GroupRow, groups)
    return files


def write_rows(path: Path, kind: type, rows: Iterable[Sequence[str]]) -> None:
    """Write ``rows`` under the column names of the dataclass ``kind``, in UTF-8 with Unix line ends."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([field.name for field in fields(kind)])
        writer.writerows(rows)


def unique_username(name: str, taken: set[str]) -> str:
    """« Hélène Dupont » gives « helene.dupont », a homonym « helene.dupont2 »; notes it in ``taken``."""
    base = username_base(name)
    username, number = base, 1
    while username in taken:
        number += 1
        username = f"{base}{number}"
    taken.add(username)
    return username


def username_base(name: str) -> str:
    """Return the name as accounts write it: folded, a dot after the first name, only a-z and hyphens."""
    first, _, last = fold(name).partition(" ")
    return f"{re.sub('[^a-z-]', '', first)}.{re.sub('[^a-z-]', '', last)}"


def _large_tree(random: Random, count: int) -> list[EntityRow]:
    tree = [EntityRow("E000", "Assurance publique", "")]
    regions = max(1, round(count**0.5))
    for number in range(1, count):
        town = f"{TOWNS[number % len(TOWNS)]} {number}"
        if number <= regions:
            tree.append(EntityRow(f"E{number:03d}", f"Caisse de {town}", "E000"))
        else:
            parent = tree[random.randint(1, regions)].entity_id
            tree.append(EntityRow(f"E{number:03d}", f"Agence de {town}", parent))
    return tree


def _large_people(random: Random, tree: Sequence[EntityRow], count: int) -> list[tuple[str, ...]]:
    weights = [1 / (1 + rank) ** 0.6 for rank in range(len(tree))]
    random.shuffle(weights)
    placed = list(range(len(tree))) + random.choices(range(len(tree)), weights, k=count - len(tree))
    firsts = [(name, username_base(f"{name} x").partition(".")[0]) for name in FIRST_NAMES]
    lasts = [(name, username_base(f"x {name}").partition(".")[2]) for name in SURNAMES]
    heads: dict[str, str] = {}
    teams: dict[str, str] = {}
    seen: dict[str, int] = {}
    rows: list[tuple[str, ...]] = []
    for number, place in enumerate(placed):
        entity = tree[place]
        external = f"P{number:06d}"
        (first, first_folded), (last, last_folded) = random.choice(firsts), random.choice(lasts)
        base = f"{first_folded}.{last_folded}"
        seen[base] = nth = seen.get(base, 0) + 1
        username = base if nth == 1 else f"{base}{nth}"
        # The first person placed in an entity heads it; the tree lists parents before children.
        if number < len(tree):
            manager, leads = heads.get(entity.parent_id, ""), True
            heads[entity.entity_id] = teams[entity.entity_id] = external
        elif leads := random.random() < 0.08:
            manager = heads[entity.entity_id]
            teams[entity.entity_id] = external
        else:
            manager = teams[entity.entity_id]
        rows.append(
            (
                external,
                username,
                f"{first} {last}",
                f"{username}@{MAIL_DOMAIN}",
                entity.entity_id,
                random.choice(JOBS),
                manager,
                "true" if leads else "false",
                "en" if number % 40 == 7 else "fr",
                f"01 {number // 1_000_000 % 100:02d} {number // 10_000 % 100:02d} "
                f"{number // 100 % 100:02d} {number % 100:02d}",
                TOWNS[place % len(TOWNS)],
            )
        )
    return rows
