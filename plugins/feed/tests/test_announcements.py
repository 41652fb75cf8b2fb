"""Announcements: one row tells all, each confirms once, and who has not stays unnamed."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from rse_core import roles
from rse_core.api import Actor, Forbidden, NotFound, TooMany, utcnow
from rse_core.models.governance import Audit
from rse_core.models.notices import Broadcast
from rse_core.notify import unread
from rse_core.small_groups import pooled
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level
from rse_feed import acting, announcements, confirmations, drafting, publishing
from rse_feed.texts import Written


@pytest.fixture
def boss(site):
    boss = make_person(site, "boss", name="Claire Dupont")
    with site.db.write() as session:
        roles.grant(session, boss.id, "moderator", actor=Actor("test"))
    return boss


def announce(core, person, body="Lisez ceci", audience="everyone", must_read=True, **values):
    written = Written(body=body, audience=audience, announcement=True, must_read=must_read, **values)
    with core.db.write() as session:
        return drafting.write(session, person.id, written).post


def confirm(core, person, post):
    with core.db.write() as session:
        return announcements.acknowledge(session, person.id, post.id)


def broadcasts(core):
    with core.db.read() as session:
        return session.scalar(select(func.count()).select_from(Broadcast))


def test_one_row_tells_everybody_and_goes_when_it_is_taken_back(site, boss, anna, ben):
    post = announce(site, boss)
    assert broadcasts(site) == 1
    with site.db.read() as session:
        assert (unread(session, anna.id), unread(session, boss.id)) == (1, 0)
    with site.db.write() as session:
        acting.hide(session, Actor("boss", boss.id), post.id, "Erreur")
    site.jobs.run_due()
    assert broadcasts(site) == 0
    with site.db.write() as session:
        acting.show(session, Actor("boss", boss.id), post.id)
    site.jobs.run_due()
    assert broadcasts(site) == 1
    with site.db.write() as session:
        publishing.delete(session, boss.id, post.id)
    site.jobs.run_due()
    assert broadcasts(site) == 0


def test_who_may_not_announce_is_refused(site, anna):
    with pytest.raises(Forbidden):
        announce(site, anna)
    assert broadcasts(site) == 0


def test_it_is_confirmed_once_and_late_counts(site, boss, anna):
    post = announce(site, boss, acknowledge_by=utcnow() + dt.timedelta(seconds=1))
    while utcnow() < post.acknowledge_by:
        pass
    first = confirm(site, anna, post)
    assert confirm(site, anna, post) == first
    with site.db.read() as session:
        assert announcements.states(session, anna.id, [post.id]) == {post.id: first}
        assert announcements.states(session, None, [post.id]) == {}


def test_what_is_to_be_read_is_listed_until_it_is_confirmed(site, boss, anna):
    posts = [announce(site, boss, f"n° {number}") for number in range(3)]
    announce(site, boss, "Sans confirmation", must_read=False)
    with site.db.read() as session:
        rows, more = announcements.to_read(session, anna.id, most=2)
        assert [row.id for row in rows] == [posts[2].id, posts[1].id]
        rows, more = announcements.to_read(session, anna.id, after=more, most=2)
        assert ([row.id for row in rows], more) == ([posts[0].id], None)
        assert announcements.waiting(session, anna.id) == 3
        assert announcements.waiting(session, boss.id) == 0
    confirm(site, anna, posts[1])
    with site.db.read() as session, count_queries(site) as count:
        assert announcements.waiting(session, anna.id) == 2
    assert len(count) == 1
    with site.db.read() as session:
        assert [row.id for row in announcements.to_read(session, anna.id, done=True)[0]] == [posts[1].id]


def test_only_those_for_whom_it_is_are_asked(site, anna, ben, boss):
    make_space(site, "ouvert", visibility="public", members=[anna], managers=[boss])
    post = announce(site, boss, audience="space:ouvert")
    confirm(site, anna, post)
    with pytest.raises(Forbidden):
        confirm(site, ben, post)
    make_space(site, "secret", visibility="secret", managers=[boss])
    hidden = announce(site, boss, audience="space:secret")
    for post_id in (hidden.id, 10**6, 0):
        with site.db.write() as session, pytest.raises(NotFound):
            announcements.acknowledge(session, ben.id, post_id)


def test_who_stands_below_the_level_is_neither_told_nor_counted(site, boss, anna):
    entity = make_entity(site, "loin")
    set_level(site, "inform", entity=entity)
    people = [make_person(site, entity=entity) for _ in range(3)]
    post = announce(site, boss)
    with site.db.read() as session:
        assert unread(session, people[0].id) == 0
        standing = confirmations.standing(session, boss.id, post.id)
    assert "Loin" not in [name for part in standing.parts for _ident, name in part.entities]


def test_figures_tell_no_small_group(site, boss):
    nord, sud, est = (make_entity(site, key) for key in ("nord", "sud", "est"))
    many = [make_person(site, entity=nord) for _ in range(24)]
    few = [make_person(site, entity=sud) for _ in range(14)]
    for _ in range(30):
        make_person(site, entity=est)
    post = announce(site, boss)
    for person in (*many[:10], *few[:9]):
        confirm(site, person, post)
    with site.db.read() as session:
        standing = confirmations.standing(session, boss.id, post.id)
    found = {tuple(name for _ident, name in part.entities): part for part in standing.parts}
    # Five of the South have not: told with the next smallest, or they could be had by subtraction.
    assert ("Sud",) not in found
    pool = next(part for names, part in found.items() if "Sud" in names)
    assert (pool.asked.number, pool.confirmed, pool.missing.number) == (39, 20, 19)
    assert (found[("Est",)].asked.number, found[("Est",)].missing.number) == (30, 30)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=8))
def test_no_part_can_be_had_by_subtraction(drawn):
    counts = [([(index, f"e{index}")], asked, min(asked, done)) for index, (asked, done) in enumerate(drawn)]
    parts = pooled(counts)
    assert sum(part[1] for part in parts) == sum(one[1] for one in counts)
    assert sum(part[2] for part in parts) == sum(one[2] for one in counts)
    small = [part for part in parts if 0 < part[1] < 10 or 0 < part[1] - part[2] < 10]
    # A small one is left only where it is everything: then the whole is not told either.
    assert not small or len(parts) == 1


def test_where_few_are_missing_in_all_neither_rate_nor_number_is_told(site, boss):
    people = [make_person(site) for _ in range(14)]
    post = announce(site, boss)
    for person in people[:9]:
        confirm(site, person, post)
    with site.db.read() as session:
        standing = confirmations.standing(session, boss.id, post.id)
    assert (standing.asked.number, standing.missing.number, standing.rate) == (None, None, None)


def test_the_figures_cost_the_same_whatever_their_number(site, boss):
    def cost(post):
        with site.db.read() as session:
            confirmations.standing(session, boss.id, post.id)
        with site.db.read() as session, count_queries(site) as count:
            confirmations.standing(session, boss.id, post.id)
            confirmations.confirmations(session, boss.id, post.id)
        return len(count)

    post = announce(site, boss)
    make_person(site, entity=make_entity(site))
    first = cost(post)
    for _ in range(6):
        confirm(site, make_person(site, entity=make_entity(site)), post)
    assert cost(post) == first


def test_the_list_is_for_the_author_and_moderators_by_pages(site, boss, anna, ben):
    post = announce(site, boss)
    people = [anna, ben, *(make_person(site) for _ in range(3))]
    for person in people:
        confirm(site, person, post)
    found, after = [], None
    while True:
        with site.db.read() as session:
            rows, after = confirmations.confirmations(session, boss.id, post.id, after=after, most=2)
        found += [row.person_id for row in rows]
        if after is None:
            break
    assert sorted(found) == sorted([boss.id, *(person.id for person in people)])
    with site.db.read() as session, pytest.raises(Forbidden):
        confirmations.standing(session, anna.id, post.id)


def test_a_reminder_tells_those_who_have_not_and_once_a_day(site, boss, anna, ben):
    post = announce(site, boss)
    confirm(site, anna, post)
    with site.db.write() as session:
        confirmations.remind(session, Actor("boss", boss.id), post.id)
    site.jobs.run_due()
    with site.db.read() as session:
        assert (unread(session, anna.id), unread(session, ben.id)) == (1, 2)
    with site.db.write() as session, pytest.raises(TooMany):
        confirmations.remind(session, Actor("boss", boss.id), post.id)
    confirm(site, ben, post)
    with site.db.read() as session:
        assert unread(session, ben.id) == 1


def test_the_file_is_noted_and_holds_no_formula(site, boss, rse_client, as_person):
    evil = make_person(site, "evil", name="=HYPERLINK(1)")
    post = announce(site, boss)
    confirm(site, evil, post)
    as_person(rse_client, boss)
    page = rse_client.get(f"/rse/feed/posts/{post.id}/acknowledgements", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
    answer = rse_client.post(f"/rse/feed/posts/{post.id}/acknowledgements.csv", data={"csrf_token": token})
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert "'=HYPERLINK(1)" in [row[0] for row in rows]
    with site.db.read() as session:
        assert session.scalar(select(Audit.act).where(Audit.act == "feed.acknowledgements.export")) is not None


def test_one_confirms_on_the_posts_page_without_a_script(site, boss, anna, rse_client, as_person):
    post = announce(site, boss)
    as_person(rse_client, anna)
    page = rse_client.get(f"/rse/feed/posts/{post.id}", headers={"Accept-Language": "en"}).text
    assert "I have read it" in page
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    sent = {"csrf_token": token}
    assert rse_client.post(f"/rse/feed/posts/{post.id}/acknowledge", data=sent).status_code == 303
    assert (
        "You confirmed having read it"
        in rse_client.get(f"/rse/feed/posts/{post.id}", headers={"Accept-Language": "en"}).text
    )
    assert "Nothing waits for you" in rse_client.get("/rse/feed/to-read", headers={"Accept-Language": "en"}).text
