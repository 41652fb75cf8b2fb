"""What is found, and every number beside it, is what a slow model says that works from the rules alone.

Notes in random states, audiences and spaces, with random words; random people and queries; both databases.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rse_core import audiences, organisation
from rse_core.api import Level, ObjectRef, utcnow
from rse_core.testing.organisation import make_entity, make_group, make_person, make_space, set_level
from rse_search import store
from rse_search.finding import DATES
from rse_search.indexing import refresh

#: Forms of one word, written as the model knows them: whoever types one form finds the others.
FAMILIES = (
    ("réunion", "Réunions", "reunion"),
    ("équipe", "ÉQUIPES"),
    ("national", "nationaux", "nationale"),
    ("œuvre", "oeuvres"),
    ("budget", "budgets"),
    ("bureau", "bureaux"),
)
FOLDED = {"é": "e", "É": "e", "œ": "oe", "Œ": "oe"}
FORMS = [form for family in FAMILIES for form in family]
STATES = ["published", "published", "published", "archived", "locked", "draft", "pending", "scheduled", "deleted"]
AGES = [1, 20, 100, 700]


def plain(word):
    return "".join(FOLDED.get(letter, letter) for letter in word).lower()


FAMILY = {plain(form): number for number, family in enumerate(FAMILIES) for form in family}

NOTES = st.lists(
    st.fixed_dictionaries(
        {
            "title": st.lists(st.sampled_from(FORMS), min_size=1, max_size=3),
            "body": st.lists(st.sampled_from(FORMS), max_size=5),
            "state": st.sampled_from(STATES),
            "audience": st.integers(0, 8),
            "space": st.integers(0, 3),
            "author": st.integers(0, 6),
            "age": st.sampled_from(AGES),
            "parent": st.one_of(st.none(), st.none(), st.integers(0, 30)),
        }
    ),
    min_size=1,
    max_size=24,
)  # fmt: skip
QUERIES = st.fixed_dictionaries(
    {
        "words": st.lists(st.sampled_from(FORMS), max_size=2),
        "prefix": st.one_of(st.none(), st.sampled_from(["réu", "equ", "nation", "bu", "oeuv"])),
        "phrase": st.one_of(st.none(), st.none(), st.tuples(st.sampled_from(FORMS), st.sampled_from(FORMS))),
        "without": st.one_of(st.none(), st.none(), st.sampled_from(FORMS)),
        "kind": st.sampled_from(["", "", "note", "answer"]),
        "entity": st.sampled_from(["", "", "top", "left"]),
        "space": st.sampled_from(["", "", "", "open", "closed"]),
        "author": st.sampled_from(["", "", "", "p2", "p3"]),
        "date": st.sampled_from(["", "", "month"]),
        "who": st.integers(0, 6),
    }
)


class World:
    """The organisation, twice: in the database, and as plain facts for the model."""

    def __init__(self, site):
        core = site.core
        self.site = site
        top, left, right = self.entities = [
            make_entity(core, "top"), make_entity(core, "left"), make_entity(core, "right"),
        ]  # fmt: skip
        with core.db.write() as session:
            organisation.move_entity(session, left.id, top.id)
            organisation.move_entity(session, right.id, top.id)
        self.above = {left.id: {"left", "top"}, right.id: {"right", "top"}, top.id: {"top"}}
        self.people = [
            make_person(core, "p0", entity=left), make_person(core, "p1", entity=left),
            make_person(core, "p2", entity=right),
            make_person(core, "p3", entity=top), make_person(core, "p4", external=True),
            make_person(core, "p5", level=Level.INFORM), make_person(core, "p6", level=Level.REACT),
        ]  # fmt: skip
        group = make_group(core, "board", members=[self.people[0], self.people[6]])
        opened = make_space(core, "open", visibility="public", members=self.people[:1])
        listed = make_space(core, "listed", members=[self.people[1], self.people[2]])
        closed = make_space(core, "closed", visibility="secret", members=[self.people[0]])
        with core.db.write() as session:
            organisation.join_space(session, closed.id, self.people[4].id, "external")
            everyone = audiences.everyone(session)
            entity_ids = [audiences.of_entity(session, one.id) for one in self.entities]
            group_id = audiences.of_group(session, group.id)
            space_ids = [audiences.of_members(session, one.id) for one in (opened, listed, closed)]
        set_level(core, Level.INFORM, space=listed, kind="cap")
        self.audiences = [everyone, *entity_ids, group_id, *space_ids, None]
        self.spaces = [None, opened, listed, closed]
        # Whom each audience holds, from the lines above; in the listed space everything is capped at INFORM.
        staff = {0, 1, 2, 3, 5, 6}
        self.holds = [staff, {0, 1, 2, 3}, {0, 1}, {2}, {0, 6}, {0}, set(), {0, 4}, set()]
        # p5 reads nothing, p6 no answers.
        self.reads = {"note": {0, 1, 2, 3, 4, 6}, "answer": {0, 1, 2, 3, 4}}

    def fill(self, notes):
        """The notes of one example, indexed."""
        for index, note in enumerate(notes):
            parent = note["parent"]
            on = f"n{parent % index}" if parent is not None and index else None
            if on is not None and self.site.notes[on].get("parent"):
                on = None
            space = self.spaces[note["space"]]
            self.site.notes[f"n{index}"] = {
                "title": " ".join(note["title"]), "body": " ".join(note["body"]), "state": note["state"],
                "audience_id": self.audiences[note["audience"]], "space_id": space.id if space else None,
                "author_id": self.people[note["author"]].id, "at": utcnow() - dt.timedelta(days=note["age"]), "parent": on,
                "facts": note | {"on": on},
            }  # fmt: skip
        refs = [ObjectRef(self.site.plugin.type_of(ident), ident) for ident in self.site.notes]
        with self.site.core.db.write() as session:
            store.clear(session)
            refresh(session, refs)

    def seen(self, ident, who):
        note = self.site.notes[ident]
        over = self.site.notes[note["parent"]] if note["parent"] else note
        shown = all(one["state"] in ("published", "archived", "locked") for one in (note, over))
        return shown and who in self.holds[over["facts"]["audience"]] and who in self.reads[self.kind(ident)]

    def kind(self, ident):
        return "answer" if self.site.notes[ident]["parent"] else "note"

    def facts(self, ident):
        """What the filters and facets look at."""
        note = self.site.notes[ident]
        over = self.site.notes[note["parent"]] if note["parent"] else note
        author = self.people[note["facts"]["author"]]
        space = self.spaces[over["facts"]["space"]]
        return {
            "kind": {self.kind(ident)},
            "entity": self.above.get(author.entity_id, {f"entity-of-{author.username}"} if author.entity_id else set()),
            "space": {space.key} if space else set(),
            "author": {author.username},
            "date": {name for name, days in DATES.items() if note["facts"]["age"] < days},
        }

    def matches(self, ident, query):
        note = self.site.notes[ident]["facts"]
        title, body = [plain(one) for one in note["title"]], [plain(one) for one in note["body"]]
        every = title + body
        families = {FAMILY[word] for word in every}
        if any(FAMILY[plain(word)] not in families for word in query["words"]):
            return False
        if query["prefix"] and not any(word.startswith(plain(query["prefix"])) for word in every):
            return False
        if query["phrase"]:
            wanted = [plain(word) for word in query["phrase"]]
            if not any(part[at : at + 2] == wanted for part in (title, body) for at in range(len(part))):
                return False
        return not (query["without"] and FAMILY[plain(query["without"])] in families)

    def text(self, query):
        parts = [*query["words"]]
        if query["phrase"]:
            parts.append('"{} {}"'.format(*query["phrase"]))
        if query["without"]:
            parts.append(f"-{query['without']}")
        # A space behind the last word: it is whole. A beginning stands last, without one.
        return " ".join(parts) + " " + (query["prefix"] or "")


@pytest.fixture
def world(site):
    return World(site)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(notes=NOTES, queries=st.lists(QUERIES, min_size=4, max_size=4))
def test_what_is_found_and_counted_is_what_the_model_says(world, notes, queries):
    world.site.notes.clear()
    world.fill(notes)
    for query in queries:
        check(world, query)


def check(world, query):
    site, who, text = world.site, query["who"], world.text(query)
    filters = {name: query[name] for name in ("kind", "entity", "space", "author", "date") if query[name]}
    if not text.strip() and not filters:
        return
    if who == 5:
        assert site.scopes(world.people[who]) == []
        return
    results = site.results(world.people[who], text, limit=50, **filters)
    if results.fuzzy:
        # Nothing as typed; that is what the model has to confirm.
        results = None
    matching = [ident for ident in site.notes if world.seen(ident, who) and world.matches(ident, query)]
    facts = {ident: world.facts(ident) for ident in matching}

    def narrowed(but=""):
        return [
            ident for ident in matching if all(key in facts[ident][name] for name, key in filters.items() if name != but)
        ]

    expected = set(narrowed())
    if results is None:
        assert not expected
        return
    assert {one.ref.id for one in results.hits} == expected, (text, filters, who)
    assert results.count == len(expected)
    shown = {facet.name: {value.key: value.count for value in facet.values} for facet in results.facets}
    for name in ("kind", "entity", "space", "author", "date"):
        numbers = Counter(key for ident in narrowed(but=name) for key in facts[ident][name])
        assert shown.get(name, {}) == dict(numbers), name
    if results.better:
        assert results.hits
