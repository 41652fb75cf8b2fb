"""Reading: exactly what is for a person, in order, whoever they are and whatever moves meanwhile, at a constant cost."""

from __future__ import annotations

import datetime as dt
import itertools
import random

import pytest
from sqlalchemy import insert, select, update

from rse_core import audiences, organisation
from rse_core.api import Target, can, utcnow
from rse_core.extension import create_app
from rse_core.models.organisation import Audience, Membership, Space
from rse_core.testing import as_person, count_queries
from rse_core.testing.organisation import make_entity, make_group, make_person, make_space, set_level
from rse_feed import places, reading, topics, walking
from rse_feed.models import Entry, Pin, Post, PostTopic, Topic
from rse_feed.reading import Wanted

START = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
_numbers = itertools.count()


def entry(core, *, audience=None, space=None, at=0, active=None, low=False, ref=None, **values):
    """An entry of an object that nobody resolves is not shown; so each has a post."""
    with core.db.write() as session:
        audience = audience or audiences.everyone(session)
        when = START + dt.timedelta(seconds=at)
        post = Post(
            audience_id=audience, space_id=space, state="published", body=f"n{next(_numbers)}", published_at=when,
            created_at=when, **values,
        )  # fmt: skip
        session.add(post)
        session.flush()
        moved = when if active is None else START + dt.timedelta(seconds=active)
        session.add(Entry(
            ref_type="feed.post", ref_id=str(post.id), event="feed.published", audience_id=audience, space_id=space, low=low,
            created_at=when, last_activity=moved,
        ))  # fmt: skip
        return post.id


def walk(core, person, wanted, most=7, between=None):
    found, before = [], None
    while True:
        with core.db.read() as session:
            page = reading.page(session, person.id, wanted, before=before, most=most)
        found += [line.post_id for line in page.lines]
        before = page.next
        if before is None:
            return found
        if between is not None:
            between()


@pytest.mark.parametrize("sort", ["new", "active"])
def test_pages_join_without_gap_or_repeat_also_where_moments_are_equal(site, anna, sort):
    made = [entry(site, at=n // 3, active=(n * 7) % 23) for n in range(40)]
    found = walk(site, anna, Wanted(sort))
    assert sorted(found) == sorted(made)
    if sort == "new":
        assert found == made[::-1]


def test_what_becomes_active_while_one_pages_is_not_shown_twice(site, anna):
    made = [entry(site, at=n) for n in range(30)]
    moves = iter(made[:6])

    def between():
        with site.db.write() as session:
            moved = str(next(moves, 0))
            session.execute(update(Entry).where(Entry.ref_id == moved).values(last_activity=utcnow()))

    found = walk(site, anna, Wanted("active"), most=5, between=between)
    assert len(found) == len(set(found))
    assert set(made[6:]) <= set(found)


@pytest.mark.parametrize("number", [3, 60])
def test_many_audiences_are_merged_in_order_whether_or_not_their_heads_are_looked_at_first(site, number):
    groups = [make_group(site) for _ in range(number)]
    person = make_person(site, "member", groups=groups)
    with site.db.read() as session:
        ids = [audiences.of_group(session, group.id) for group in groups]
        assert (len(places.of(session, person.id).audiences) > walking.MANY) is (number > 30)
    rng = random.Random(3)
    moments = rng.sample(range(1000), 90)
    made = {entry(site, audience=rng.choice(ids), at=at): at for at in moments}
    assert walk(site, person, Wanted("new")) == sorted(made, key=lambda ident: -made[ident])
    assert walk(site, person, Wanted("active"), most=20) == sorted(made, key=lambda ident: -made[ident])


def test_kinds_narrow_the_list(site, anna):
    plain = entry(site, at=1)
    loud = entry(site, at=2, announcement=True)
    space = make_space(site, "garden", members=[anna])
    with site.db.read() as session:
        audience = audiences.of_members(session, space.id)
    inside = entry(site, at=3, audience=audience, space=space.id, announcement=True)
    assert walk(site, anna, Wanted(kind="announcements")) == [inside, loud]
    assert walk(site, anna, Wanted(kind="posts")) == [inside, loud, plain]
    assert walk(site, anna, Wanted(kind="intranet")) == []
    assert walk(site, anna, Wanted(space_id=space.id)) == [inside]
    assert walk(site, anna, Wanted(space_id=space.id, kind="announcements")) == [inside]


def test_a_topic_has_its_posts_and_only_those_that_are_for_the_reader(site, anna, ben):
    space = make_space(site, "garden", members=[anna])
    with site.db.read() as session:
        audience = audiences.of_members(session, space.id)
    shown, hidden = entry(site, at=1), entry(site, at=2, audience=audience, space=space.id)
    entry(site, at=3)
    with site.db.write() as session:
        topic = Topic(key="velo", name="Vélo")
        session.add(topic)
        session.flush()
        session.add_all([PostTopic(topic_id=topic.id, post_id=ident) for ident in (shown, hidden)])
        number = topic.id
    assert walk(site, anna, Wanted(topic_id=number)) == [hidden, shown]
    assert walk(site, ben, Wanted(topic_id=number)) == [shown]
    with site.db.read() as session:
        (line,) = reading.page(session, ben.id, Wanted(topic_id=number)).lines
        assert [one.name for one in line.topics] == ["Vélo"]
        assert topics.key_of("Vélo") == "velo"


def test_a_public_space_may_close_its_feed_to_others(site, anna, ben):
    space = make_space(site, "square", visibility="public", members=[anna])
    shown = entry(site, at=1)
    inside = entry(site, at=2, space=space.id)
    assert walk(site, ben, Wanted()) == [inside, shown]
    with site.db.write() as session:
        organisation.set_space_rule(session, space.id, "feed.read", "members")
    assert walk(site, ben, Wanted()) == [shown]
    assert walk(site, ben, Wanted(space_id=space.id)) == []
    assert walk(site, anna, Wanted()) == [inside, shown]
    with site.db.read() as session:
        assert reading.news(session, ben.id, START - dt.timedelta(days=1)) == 1
        assert reading.news(session, anna.id, START - dt.timedelta(days=1)) == 2


def test_a_public_space_may_be_open_to_its_members_below_the_level_of_the_site(core):
    set_level(core, "inform")
    space = make_space(core, "pilot", visibility="public")
    member, other = make_person(core, "member", spaces=[space]), make_person(core, "other")
    set_level(core, "react", space=space)
    entry(core, at=1)
    inside = entry(core, at=2, space=space.id)
    assert walk(core, member, Wanted()) == [inside]
    assert walk(core, member, Wanted("active", kind="posts")) == [inside]
    assert walk(core, member, Wanted(space_id=space.id)) == [inside]
    assert walk(core, other, Wanted()) == []
    with core.db.read() as session:
        assert reading.news(session, member.id, START - dt.timedelta(days=1)) == 1


def test_what_is_pinned_stands_above_its_space_once_and_nowhere_else(site, anna, ben):
    space = make_space(site, "garden", members=[anna])
    with site.db.read() as session:
        audience = audiences.of_members(session, space.id)
    old, young = entry(site, at=1, audience=audience, space=space.id), entry(site, at=2, audience=audience, space=space.id)
    late = entry(site, at=0, audience=audience, space=space.id)
    with site.db.write() as session:
        for ident, until in ((old, None), (late, utcnow() - dt.timedelta(hours=1))):
            number = session.scalars(select(Entry.id).where(Entry.ref_id == str(ident))).one()
            session.add(Pin(space_id=space.id, entry_id=number, until=until))
    with site.db.read() as session:
        page = reading.page(session, anna.id, Wanted(space_id=space.id), pins=True)
        assert [line.post_id for line in page.pinned] == [old]
        assert page.pinned[0].pinned
        assert [line.post_id for line in page.lines] == [young, late]
        assert reading.page(session, ben.id, Wanted(space_id=space.id), pins=True).pinned == ()
    assert walk(site, anna, Wanted()) == [young, old, late]


def test_new_posts_are_those_of_others_and_counted_to_a_limit(site, anna, ben):
    since = START + dt.timedelta(seconds=5)
    for at in range(8):
        entry(site, at=at)
    mine = entry(site, at=20)
    with site.db.write() as session:
        session.execute(update(Entry).where(Entry.ref_id == str(mine)).values(actor_id=anna.id))
    with site.db.read() as session:
        assert reading.news(session, ben.id, since) == 3
        assert reading.news(session, anna.id, since) == 2
    with site.db.write() as session:
        values = session.execute(select(Entry.audience_id)).first()
        session.execute(insert(Entry), [
            {"ref_type": "feed.post", "ref_id": f"x{n}", "event": "e", "audience_id": values[0], "space_id": None,
             "title": "", "low": False, "created_at": START + dt.timedelta(seconds=30), "last_activity": START}
            for n in range(80)
        ])  # fmt: skip
    with site.db.read() as session:
        assert reading.news(session, ben.id, since) == reading.NEW_MOST


def test_whatever_the_organisation_the_list_is_what_a_slow_reader_finds_by_the_rules(core):
    """The slow reader asks the rules about every post; the feed must find the same, for everybody."""
    rng = random.Random(11)
    set_level(core, "react")
    head = make_entity(core, "head")
    entities = [make_entity(core, f"e{n}", parent=head) for n in range(4)]
    set_level(core, "inform", entity=entities[3])
    groups = [make_group(core, f"g{n}") for n in range(3)]
    spaces = [make_space(core, f"s{n}", visibility=rng.choice(("public", "listed", "secret"))) for n in range(8)]
    people = [
        make_person(
            core, f"p{n}", entity=None if n % 7 == 0 else rng.choice(entities), external=n % 7 == 0,
            groups=rng.sample(groups, rng.randrange(3)), spaces=[] if n % 7 == 0 else rng.sample(spaces, rng.randrange(4)),
        )
        for n in range(16)
    ]  # fmt: skip
    with core.db.write() as session:
        for space in rng.sample(spaces, 3):
            organisation.set_space_rule(session, space.id, "feed.read", rng.choice(("members", "managers", "nobody")))
    set_level(core, "inform", space=spaces[0], kind="cap")
    with core.db.read() as session:
        every = session.execute(select(Audience.id, Audience.kind, Audience.target_id)).all()
        everyone = audiences.everyone(session)
        public = set(session.scalars(select(Space.id).where(Space.visibility == "public")))
    made = {}
    for at in range(120):
        found = rng.choice(every)
        space = found.target_id if found.kind == "space" else None
        audience = everyone if space in public and rng.random() < 0.7 else found.id
        made[entry(core, audience=audience, space=space, at=at)] = (audience, space)
    with core.db.read() as session:
        for person in people:
            member = set(session.scalars(select(Membership.audience_id).where(Membership.person_id == person.id)))
            expected = [
                ident for ident, (audience, space) in made.items()
                if audience in member and can(session, person.id, "feed.read", Target(audience, space_id=space))
            ]  # fmt: skip
            assert walk(core, person, Wanted(), most=9) == expected[::-1], person.username
            for space in spaces:
                inside = [ident for ident in expected if made[ident][1] == space.id]
                assert walk(core, person, Wanted("active", space_id=space.id), most=4) == inside[::-1]


@pytest.mark.parametrize("path", ["/rse/feed/", "/rse/feed/?sort=active", "/rse/feed/?kind=announcements"])
def test_the_whole_page_costs_the_same_for_one_entry_as_for_many_and_for_one_membership_as_for_many(site, ben, path):
    app = create_app(site)
    entry(site, announcement=True, author_id=ben.id)
    spaces = [make_space(site) for _ in range(60)]
    few, many = make_person(site, "few"), make_person(site, "many", spaces=spaces)

    def cost(person):
        client = as_person(app.test_client(), person)
        for _ in range(2):
            client.get(path)
        with count_queries(site) as queries:
            assert client.get(path).status_code == 200
        return len(queries), str(queries)

    one, _said = cost(few)
    for number, space in enumerate(spaces):
        with site.db.read() as session:
            audience = audiences.of_members(session, space.id)
        entry(site, at=number, audience=audience, space=space.id, announcement=True, author_id=ben.id)
        entry(site, at=number, announcement=True, author_id=ben.id)
    for person in (few, many):
        number, said = cost(person)
        assert number <= one, said
    assert one <= 12
