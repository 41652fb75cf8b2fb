"""Names as one hears them: which keys are the same, and whom one finds so."""

from __future__ import annotations

import importlib

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import delete, select

from rse_core.people import folded
from rse_core.testing import count_queries
from rse_directory import access, finding, indexing, sounds
from rse_directory.finding import Asked
from rse_directory.models import Indexed, Near, Token

ALIKE = [
    "Dupont Dupon Dupond", "Philippe Philipe Fillipe Filipe", "Gauthier Gothier Gautier Gothié", "Kerbrat Kerbra Querbrat",
    "Nguyen Nguyenne", "Bourguignon Bourguinion", "Lefebvre Lefèvre Lefaivre", "Hénault Éno Haineau", "Moreau Moro Maurot",
    "Renault Renaud Reno", "Thibault Thibaud Tibo", "Guillaume Guiyome", "François Fransoi", "Œuvrard Euvrard",
    "Lœuillet Leuillet", "Jacques Jak", "Schmitt Shmidt", "Leclercq Leclerc Leclair", "Quentin Kentin", "Hélène Elaine",
    "Jean Jan Gean", "Durand Durant", "Yves Ive", "Christophe Kristof", "Beauchamp Bochan", "Wagner Vagner",
    "Rousseau Rouso", "Benoît Benoist", "Mickaël Mikael Michael", "Caen Kan", "Dupré Duprez Dupret", "Djamel Jamel",
    "Khaled Kaled", "Duquesne Dukène", "Leblanc Leblan", "Roger Rogé Rojer", "Gervais Jervé", "Vincent Vinsan",
    "Laurent Loran", "Georges Jorge", "Henri Henry", "Arnaud Arno", "Perrin Perain", "Vasseur Vaceur",
]  # fmt: skip
APART = [
    "Martin Marin", "Martin Martine", "Martin Morin", "Dupont Dupuis", "Emma Naïma", "Marie Maria", "Simon Simone",
    "Jean Jeanne", "Dubois Dupois", "Robert Roger", "Besson Buisson", "Gérard Girard", "Julie Julien", "Petit Petitjean",
    "Roux Rousseau", "Garcia Gracia", "Bernard Bruno",
]  # fmt: skip


@pytest.mark.parametrize("names", ALIKE)
def test_what_sounds_alike_has_one_key(names):
    assert len({sounds.key(folded(name)) for name in names.split()}) == 1


@pytest.mark.parametrize("names", APART)
def test_what_sounds_otherwise_has_another_key(names):
    one, other = (sounds.key(folded(name)) for name in names.split())
    assert one != other


@pytest.mark.parametrize("word", ["", "le", "hhh", "eee", "иван", "李小龍", "jean3", "a-b"])
def test_what_is_too_short_or_of_other_letters_has_no_key(word):
    assert sounds.key(word) == ""


def test_no_word_is_a_key():
    assert sounds.key("dupont").startswith(sounds.MARK)
    assert folded(sounds.MARK) == sounds.MARK
    assert len(sounds.key("ba" * 500)) == sounds.LONGEST + 1


@pytest.fixture
def staff(site, anna):
    site.person("pg", name="Philippe Gauthier", job_title="Comptable")
    site.person("gg", name="Gérard Gonthier")
    site.person("sk", name="Solène Kerbrat")
    site.person("nn", name="Nhu Nguyen")
    site.person("dr", name="Denis Renaud")
    site.person("ti", name="Tina Ibis", job_title="Rénovation")
    site.person("fo", name="François Œuvrard")
    return anna


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("fillipe", ["pg"]), ("Filipe Gotié", ["pg"]), ("gotier filipe", ["pg"]), ("querbra", ["sk"]), ("Nguyenne", ["nn"]),
        # A slip away there is another: both are shown.
        ("gothier", ["gg", "pg"]), ("fransoi euvrar", ["fo"]), ("fransoi gotier", []), ("ghi", []),
    ],
)  # fmt: skip
def test_people_are_found_as_their_names_sound(site, staff, typed, found):
    assert site.find(staff, typed) == found
    assert sorted(site.suggest(staff, typed)) == found


def look(site, viewer, text, **options):
    with site.core.db.read() as session, count_queries(site.core) as counted:
        hits = finding.find(session, access.sight(session, viewer.id), Asked(text), **options)
    return hits, len(counted)


def test_few_who_were_found_as_typed_have_others_beside_them(site, staff):
    assert site.find(staff, "reno") == ["ti"]
    page = site.get(staff, "?q=reno").text
    assert page.index("Tina Ibis") < page.index("rse-dir-alike") < page.index("Denis Renaud")
    answer = site.client(staff).get("/rse/api/v1/directory/people?q=reno").json
    assert [one["username"] for one in answer["items"]] == ["ti"]
    assert [one["username"] for one in answer["alike"]] == ["dr"]
    assert answer["near"] is False
    assert site.suggest(staff, "reno") == ["ti", "dr"]
    # Where a page is full nothing is looked for beside it.
    assert look(site, staff, "reno", limit=1)[0].alike == ()
    assert "rse-dir-alike" not in site.get(staff, "?q=renaud").text


def test_who_left_the_list_is_not_found_by_sound(site, staff):
    with site.core.db.read() as session:
        renaud = indexing.ref_of(session.scalar(select(Token.person_id).where(Token.token == "renaud")))
    from rse_core.people import get

    with site.core.db.read() as session:
        person = get(session, int(renaud.id))
    site.edit(person, listed=False)
    assert site.find(staff, "rainaud") == []
    assert look(site, staff, "reno")[0].alike == ()


def test_pages_of_names_that_sound_so_go_on(site, staff):
    for number in range(7):
        site.person(f"r{number}", name=f"Anne{number} Renault")
    # Two letters too many: no slip, the sound alone.
    assert site.find(staff, "rennaulds", limit=3) == site.find(staff, "rennaulds") == [*(f"r{n}" for n in range(7)), "dr"]
    # One slip finds a page full of them: then no sound is looked for.
    hits, _queries = look(site, staff, "renalt", limit=3)
    assert hits.near == finding.SLIPS


def test_the_number_of_queries_does_not_grow(site, staff):
    few = [look(site, staff, typed)[1] for typed in ("gothier", "fillipe gotié", "reno", "renaud")]
    for number in range(30):
        site.person(f"r{number}", name=f"Filippe{number} Gautier")
        site.person(f"s{number}", name=f"Fernand Renaut{chr(97 + number % 26)}")
    assert [look(site, staff, typed)[1] for typed in ("gothier", "fillipe gotié", "reno", "renaud")] <= [12] * 4
    assert max(few) <= 12


@pytest.mark.parametrize("typed", ["FŒ", "fœ", "fo", "foe", "Œf", "of"])
def test_initials_are_found_with_a_ligature_and_with_its_first_letter(site, staff, typed):
    assert "fo" in site.find(staff, typed)
    assert "fo" in site.suggest(staff, typed)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Élodie Le Guen", ["leguen", "le guen", "guen", "Leguin", "leguenne elodi"]),
        ("Naïma El Amrani", ["elamrani", "elamrany"]), ("Jeanne Delatour", ["de la tour", "jeanne de la tour"]),
        ("Jean de La Fontaine", ["delafontaine", "lafontaine", "fontaine"]), ("Cyril D'Almeida", ["dalmeida", "d almeida"]),
        ("Bastien Legoff", ["le goff", "legof"]),
    ],
)  # fmt: skip
def test_names_of_several_words_are_found_in_one(site, staff, name, typed):
    site.person("several", name=name)
    for text in typed:
        assert site.suggest(staff, text) == ["several"], text


def test_initials_without_a_ligature_stay_as_they_were(site, staff):
    assert site.find(staff, "pg") == ["pg"]


def test_the_migration_gives_keys_to_the_words_that_were_there(site, staff):
    with site.core.db.write() as session:
        session.execute(delete(Near).where(Near.part.startswith(sounds.MARK)))
        before = set(session.scalars(select(Indexed.person_id)))
    assert site.find(staff, "fillipe") == []
    module = importlib.import_module("rse_directory.migrations.versions.0002_how_names_sound")
    with site.core.db.engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        module.upgrade()
    assert site.find(staff, "fillipe") == ["pg"]
    with site.core.db.write() as session:
        # Only those who have an initial of two letters now are indexed anew, by the job.
        assert len(before - set(session.scalars(select(Indexed.person_id)))) == 1
        indexing.follow(session)
        assert set(session.scalars(select(Indexed.person_id))) == before
