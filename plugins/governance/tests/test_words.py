"""Word rules: whole words, folded; by place; held, refused or noted; nothing that an expression can blow up."""

from __future__ import annotations

import time

import pytest

from rse_core import roles
from rse_core.api import Actor, BadInput, Conflict, Forbidden, NotFound
from rse_core.testing.organisation import make_entity, make_person, make_space
from rse_governance import casework, matching, queue, wording

ACTOR = Actor("cli:tests")


def add(core, person, words, act="hold", where="site", **values):
    with core.db.write() as session:
        return wording.add(session, person.id, where=where, act=act, words=words, **values)


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("Un CÂLIN de trop", "calin", True),
        ("une décâlinade", "calin", False),
        ("l’œuf dur", "oeuf", True),
        ("ma­l", "mal", True),
        ("le projet  Omega\nest secret", "projet oméga", True),
        ("le projet X Omega", "projet omega", False),
        ("ﬁnance", "finance", True),
        ("straße", "STRASSE", True),
        ("mal-être", "mal", True),
        ("n'importe quoi", "importe quoi", True),
        ("", "mot", False),
    ],
)
def test_expressions_are_found_whole_and_folded(text, words, found):
    assert bool(matching.find(text, matching.index(matching.expressions(words)))) is found


def test_a_long_text_against_many_alike_expressions_takes_no_time():
    words = "\n".join("a " * length for length in range(1, 60))
    wanted = matching.index(matching.expressions(words))
    began = time.perf_counter()
    matching.find("a " * 20_000, wanted)
    matching.find("((a+)+)+$" * 2_000 + "!", wanted)
    assert time.perf_counter() - began < 10


def test_a_word_holds_a_text_with_the_sentence_of_the_rule_and_moderators_see_which(site, people, wall):
    add(site, people["mo"], "Mot interdit\nautre", message="We look at it first.")
    assert wall.write(site, people["anna"], "bonjour").state == "published"
    assert wall.write(site, people["anna"], "un MOT  interdit ici").state == "pending"
    with site.db.read() as session:
        [line] = queue.page(session, people["mo"].id).lines
    assert line.found == "mot interdit"


def test_a_word_refuses_a_text_and_nothing_of_it_stays(site, people, wall):
    add(site, people["mo"], "insulte", act="refuse")
    with pytest.raises(BadInput) as error:
        wall.write(site, people["anna"], "Quelle INSULTE.")
    assert "insulte" in str(error.value)
    assert error.value.fields["body"]
    assert wall.notes == {}
    with site.db.read() as session:
        assert list(queue.page(session, people["mo"].id).lines) == []


def test_a_noted_text_is_published_and_stands_among_the_reports(site, people, wall, told):
    add(site, people["mo"], "salaire", act="note")
    assert wall.write(site, people["anna"], "mon salaire").state == "published"
    with site.db.read() as session:
        [line] = casework.page(session, people["mo"].id).lines
    assert (line.row.noted, line.found) == (True, "salaire")
    assert "Something that you moderate was reported." in told(people["mo"])
    assert told(people["anna"]) == []


def test_the_strictest_of_several_rules_decides(site, people, wall):
    add(site, people["mo"], "mot", act="note")
    add(site, people["mo"], "mot", act="hold")
    assert wall.write(site, people["anna"], "un mot").state == "pending"
    add(site, people["mo"], "mot", act="refuse", message="Not that word.")
    with pytest.raises(BadInput, match="Not that word"):
        wall.write(site, people["anna"], "un mot")


def test_a_rule_holds_in_its_entity_and_in_its_space_only(site, people, wall):
    north = make_entity(site, "north")
    office = make_entity(site, "office", parent=north)
    nina = make_person(site, "nina", entity=office)
    space = make_space(site, "garden", members=[people["anna"]], managers=[people["max"]])
    with site.db.write() as session:
        roles.grant(session, people["cleo"].id, "moderator", scope="entity", scope_id=north.id, actor=ACTOR)
    add(site, people["cleo"], "mot", where="entity:north")
    assert wall.write(site, nina, "mot").state == "pending"
    assert wall.write(site, people["anna"], "mot").state == "published"
    add(site, people["max"], "rose", where="space:garden")
    assert wall.write(site, people["anna"], "une rose", space=space).state == "pending"
    assert wall.write(site, people["anna"], "une rose").state == "published"


def test_rules_are_kept_by_those_who_moderate_there(site, people, wall):
    make_space(site, "inner", visibility="secret", managers=[people["max"]])
    make_entity(site, "north")
    for who, where, error in (
        ("cleo", "site", Forbidden), ("max", "site", Forbidden), ("cleo", "entity:north", Forbidden),
        ("cleo", "space:inner", NotFound), ("mo", "space:nowhere", NotFound), ("mo", "group:x", BadInput),
    ):  # fmt: skip
        with pytest.raises(error):
            add(site, people[who], "mot", where=where)
    rule = add(site, people["max"], "mot", where="space:inner")
    with site.db.read() as session:
        assert [one.where for one in wording.rules(session, people["max"].id)] == ["space:inner"]
    with site.db.write() as session, pytest.raises(NotFound):
        wording.remove(session, people["cleo"].id, rule.id)


def test_a_rule_is_changed_by_its_version_and_tried_without_a_trace(site, people, wall):
    rule = add(site, people["mo"], "mot")
    with site.db.write() as session:
        wording.change(session, people["mo"].id, rule.id, act="refuse", words="phrase", version=1)
        with pytest.raises(Conflict):
            wording.change(session, people["mo"].id, rule.id, act="hold", words="mot", version=1)
    with site.db.read() as session:
        assert [trial.words for trial in wording.test(session, people["mo"].id, "Une PHRASE")] == [("phrase",)]
        assert wording.test(session, people["mo"].id, "un mot") == []
    for wrong in ({"words": " \n ,"}, {"act": "burn"}, {"words": "x" * 20_001}, {"message": "m" * 501}):
        with pytest.raises(BadInput):
            add(site, people["mo"], **{"words": "x", **wrong})
    with site.db.write() as session:
        wording.remove(session, people["mo"].id, rule.id)
    assert wall.write(site, people["anna"], "une phrase").state == "published"


def test_what_fails_while_examining_holds_the_text(rse_core, wall, monkeypatch):
    from rse_core.testing.organisation import set_level
    from rse_governance import plugin

    core = rse_core(plugins=[plugin, wall], strict=False)
    set_level(core, "comment")
    anna = make_person(core, "anna")
    monkeypatch.setattr(matching, "find", lambda *_: 1 / 0)
    with core.db.write() as session:
        mo = make_row(session)
    with core.db.write() as session:
        roles.grant(session, mo, "moderator", actor=ACTOR)
    with core.db.write() as session:
        wording.add(session, mo, where="site", act="note", words="mot")
    assert wall.write(core, anna, "un mot").state == "pending"


def make_row(session):
    from rse_core import people

    return people.add(session, external_id="x-mo", username="mo", display_name="Mo").id
