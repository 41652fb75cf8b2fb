"""Words: folding, elision, stems, what is typed, snippets."""

from __future__ import annotations

import pytest

from rse_search import near
from rse_search.marks import marked, snippet
from rse_search.texts import Texts
from rse_search.typed import Term, parse
from rse_search.words import stem, words


def texts(text):
    return [word.text for word in words(text)]


def test_words_lose_accents_capitals_and_ligatures():
    assert texts("Œuvres À l'ÉCOLE, naïve Ça") == ["oeuvres", "a", "ecole", "naive", "ca"]
    assert texts("e\u0301te\u0301") == ["ete"]


def test_elision_is_no_part_of_a_word():
    assert texts("l’équipe d'accueil qu'elle aujourd'hui j´ai") == ["equipe", "accueil", "elle", "aujourd", "hui", "ai"]
    assert texts("plan d") == ["plan", "d"]


def test_a_word_knows_where_it_stands():
    text = "Le cœur de l’été"
    assert [text[word.start : word.end] for word in words(text)] == ["Le", "cœur", "de", "été"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("reunion", "reunions"), ("national", "nationaux"), ("nationale", "nationaux"), ("bateau", "bateaux"),
        ("travail", "travaux"), ("jeu", "jeux"), ("directeur", "directrices"), ("collaboration", "collaborer"),
        ("animateur", "animatrice"), ("actif", "actives"), ("premier", "premieres"), ("policy", "policies"),
        ("professionnel", "professionnelles"), ("deploiement", "deployer"),
    ],
)  # fmt: skip
def test_forms_of_one_word_share_a_stem(one, other):
    assert stem(one) == stem(other)


@pytest.mark.parametrize(("one", "other"), [("formation", "forme"), ("note", "notaire"), ("2026", "2025"), ("rh", "rhs")])
def test_different_words_have_different_stems(one, other):
    assert stem(one) != stem(other)


def test_the_last_word_is_a_beginning_and_phrases_stay_together():
    assert parse("réunion équ").terms == (Term(("reunion",)), Term(("equ",), prefix=True))
    assert parse("réunion équ ").terms == (Term(("reunion",)), Term(("equ",)))
    assert parse('"comité de suivi" budget').terms[0] == Term(("comite", "de", "suivi"))
    assert parse("« comité de suivi »").terms == (Term(("comite", "de", "suivi")),)
    assert parse('"jamais fermé').terms == (Term(("jamais", "ferme")),)


def test_words_that_say_nothing_are_left_out_unless_there_is_nothing_else():
    assert parse("les congés de l'été").terms == (Term(("conges",)), Term(("ete",), prefix=True))
    assert parse("de la").terms == (Term(("de",)), Term(("la",), prefix=True))


def test_minus_leaves_out_only_before_a_word():
    assert parse("réunion -archive").without == (Term(("archive",)),)
    assert parse("porte-parole").without == ()
    assert parse('plan -"comité de suivi"').without == (Term(("comite", "de", "suivi")),)
    assert parse("- réunion").terms == (Term(("reunion",), prefix=True),)


@pytest.mark.parametrize("text", ["", "   ", "'\"", "***", "-", "\x00", "()[]{}:^", "\ud800"])
def test_what_has_no_word_asks_nothing(text):
    assert parse(text).is_empty


def test_a_very_long_query_is_cut():
    assert len(parse("mot " * 5_000).terms) == 1
    assert len(parse(" ".join(f"mot{number}" for number in range(5_000))).terms) == 12


def test_one_slip_is_told_from_two():
    assert near.slips("reunion", "reuinon") == 1
    assert near.slips("reunion", "reunon") == near.slips("reunon", "reunion") == 1
    assert near.slips("reunion", "reumion") == 1
    assert near.slips("reunion", "reunion") == 0
    assert near.slips("reunion", "raumion") == 2
    assert near.slips("reunion", "union") == 2


def test_marks_stand_around_what_was_looked_for_and_markup_is_text():
    terms = parse("équipe").terms
    assert marked("<b>Les équipes</b>", terms) == "&lt;b&gt;Les <mark>équipes</mark>&lt;/b&gt;"


def test_a_snippet_shows_where_most_of_the_words_stand():
    text = "Introduction. " * 60 + "Le budget de l'équipe est voté. " + "Suite. " * 60
    found = snippet(text, parse("budget équipe").terms)
    assert "<mark>budget</mark> de l&#x27;<mark>équipe</mark>" in found
    assert found.startswith("… ")
    assert found.endswith(" …")
    assert len(found) < 400


def test_a_vector_stays_within_what_postgresql_takes():
    vector = Texts.of("titre", "", "mot " * 30_000 + "fin").vector()
    assert len(vector.split("'mot':")[1].split(" ")[0].split(",")) == 250
    assert "'fin':16383C" in vector
