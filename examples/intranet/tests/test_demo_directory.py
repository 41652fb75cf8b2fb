"""The directory of the demo: people with profiles, a chart with depth, somebody new, expertise that others confirm."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rse_example_intranet import demo_directory, organisation
from rse_example_intranet.demo_portraits import portrait

from rse_core import people
from rse_core.runtime import Core
from rse_directory import arrivals, chart, profiles, skills

DATA = Path(organisation.__file__).parent / "data"


def _rows() -> list[dict[str, str]]:
    with (DATA / "profiles.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _depth(nodes: tuple[chart.Node, ...]) -> int:
    return 1 + max((_depth(node.below) for node in nodes), default=0) if nodes else 0


def _everybody(nodes: tuple[chart.Node, ...]) -> Iterator[chart.Node]:
    for node in nodes:
        yield node
        yield from _everybody(node.below)


@pytest.fixture(scope="module")
def emma(demo_core: Core) -> int:
    with demo_core.db.read() as session:
        return people.by_username(session, "emma.nguyen").id


def test_profiles_are_of_people_who_exist_and_in_good_french() -> None:
    with (DATA / "people.csv").open(encoding="utf-8", newline="") as file:
        locales = {row["username"]: row["locale"] for row in csv.DictReader(file)}
    rows = _rows()
    assert {row["username"] for row in rows} <= set(locales)
    assert set(demo_directory.ARRIVALS) <= set(locales)
    texts = [
        text
        for row in rows
        for name, text in row.items()
        if name not in ("username", "photo", "birthday") and locales[row["username"]] == "fr"
    ]
    assert [text for text in texts if re.search(r"« | »| [;:!?]|'|!", text)] == []


def test_a_profile_has_a_picture_expertise_that_others_confirm_and_a_manager(demo_core: Core, emma: int) -> None:
    with demo_core.db.read() as session:
        page = profiles.page(session, emma, "samia.kaced")
    assert page.card.photo is not None
    assert page.manager is not None
    assert page.manager.display_name == "Rémi Castaing"
    assert page.card.value("office") == "F 310"
    assert page.card.value("phone").startswith("01 99 00")
    assert max(one.endorsed for one in page.expertise) >= 2


def test_the_vocabulary_has_no_word_without_people(demo_core: Core, emma: int) -> None:
    said = {skills.key_of(label.strip()) for row in _rows() for label in row["skills"].split(",")}
    with demo_core.db.read() as session:
        known = {one.key for one in skills.vocabulary(session, emma, limit=500)}
    assert known == said
    assert len(known) > 40


def test_the_chart_is_four_steps_deep(demo_core: Core, emma: int) -> None:
    with demo_core.db.read() as session:
        found = chart.by_manager(session, emma, depth=4)
    assert _depth(found.nodes) == 4
    assert sum(1 for _ in _everybody(found.nodes)) == 60


def test_a_few_are_new_and_some_have_their_birthday_this_week(demo_core: Core, emma: int) -> None:
    with demo_core.db.read() as session:
        new = [one.card.username for one in arrivals.newcomers(session, emma)]
        born = [card.username for card, _day, _month in arrivals.birthdays(session, emma)]
    assert new == list(demo_directory.ARRIVALS), "the latest first"
    assert born == ["awa.diallo", "hortense.vidal", "adele.loiseau"]


def test_some_are_in_several_entities_and_some_have_an_assistant(demo_core: Core, emma: int) -> None:
    with demo_core.db.read() as session:
        doctor, director = (profiles.page(session, emma, name) for name in ("hortense.vidal", "solene.kerbrat"))
    assert doctor.card.others == ("Caisse de la Côte-Blanche", "Caisse des Trois-Rivières")
    assert [one.username for one in director.assistants] == ["noemie.besancon"]


def test_somebody_who_narrowed_a_field_is_believed(demo_core: Core, emma: int) -> None:
    with demo_core.db.read() as session:
        page = profiles.page(session, emma, "adele.loiseau")
    assert page.card.value("phone") == ""
    assert page.card.value("email")


def test_a_drawn_portrait_is_always_the_same() -> None:
    assert portrait("samia.kaced", "long 2 1") == portrait("samia.kaced", "long 2 1")
    assert portrait("samia.kaced", "long 2 1") != portrait("remi.castaing", "short 0 4")
