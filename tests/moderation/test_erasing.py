"""An erased person is found in no table, index, log or export that is made afterwards; threads still read."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import inspect, select, text

import rse_comments
import rse_communities
import rse_feed
import rse_governance
import rse_likes
import rse_notifications
import rse_search
from rse_comments import access as comment_access
from rse_comments import reading as comment_reading
from rse_comments import service as comments
from rse_communities import creating
from rse_core import charter, preferences, privacy, roles, tokens
from rse_core.api import Actor
from rse_core.testing.organisation import make_person, set_level
from rse_feed import access as feed_access
from rse_feed import drafting, publishing
from rse_feed.models import Post
from rse_feed.texts import Written
from rse_governance import appeals, cases, log, queue, suspending
from rse_governance.models import Case
from rse_likes import service as likes

ACTOR = Actor("cli:tests")
#: Nothing that is written here about anybody else holds these.
PLANTED = ("xylophage", "quokkadraft", "quokkarevision", "quokkareport", "quokkaappeal", "quokkadeleted")


@pytest.fixture
def rse_plugins():
    modules = (rse_comments, rse_feed, rse_likes, rse_search, rse_notifications, rse_communities, rse_governance)
    return [module.plugin for module in modules]


@pytest.fixture
def site(core):
    set_level(core, "cocreate")
    return core


def traces(core):
    """Every column of every table in which a planted word stands, also of those that no mapper knows of."""
    found = set()
    with core.db.read() as session:
        inspector = inspect(session.connection())
        quoted = session.connection().dialect.identifier_preparer.quote
        for name in inspector.get_table_names():
            for column in inspector.get_columns(name):
                value = f"lower(CAST({quoted(column['name'])} AS TEXT))"
                for word in PLANTED:
                    query = f"SELECT count(*) FROM {quoted(name)} WHERE {value} LIKE :like"
                    if session.scalar(text(query), {"like": f"%{word}%"}):
                        found.add((f"{name}.{column['name']}", word))
    return found


def run(core):
    while core.jobs.run_due():
        pass


def test_an_erased_person_is_found_nowhere_and_threads_still_read(site):
    zoe = make_person(site, "xylophage", name="Xylophage Zoé")
    ben, mo = make_person(site, "ben", name="Ben"), make_person(site, "mo", name="Mo")
    with site.db.write() as session:
        zoe_row = session.get_one(type(zoe), zoe.id)
        zoe_row.email, zoe_row.job_title, zoe_row.phone = "xylophage@example.org", "xylophage", "xylophage"
        roles.grant(session, mo.id, "site_admin", actor=ACTOR)
        tokens.create_token(session, zoe_row, "xylophage laptop", ("read",), Actor("xylophage", zoe.id))
        preferences.put(session, zoe.id, "comments.sort", "oldest")
        made = charter.publish(session, title="Charter", body="Be kind.", actor=ACTOR)
        for person in (zoe, ben, mo):
            charter.accept(session, person.id, made.id)
    with site.db.write() as session:
        creating.create(session, zoe.id, name="Bees", kind="community")
        first = drafting.write(session, zoe.id, Written("kept words", audience="everyone")).post
        drafting.edit(session, zoe.id, first.id, Written("quokkarevision", audience="everyone"), version=1)
        drafting.edit(session, zoe.id, first.id, Written("kept words", audience="everyone"), version=2)
        drafting.write(session, zoe.id, Written("quokkadraft", audience="everyone", act="draft"))
        gone = drafting.write(session, zoe.id, Written("quokkadeleted", audience="everyone")).post
        theirs = drafting.write(session, ben.id, Written("hello @xylophage", audience="everyone")).post
        down = drafting.write(session, zoe.id, Written("a joke", audience="everyone")).post
    ref, other = feed_access.ref_of(first.id), feed_access.ref_of(theirs.id)
    with site.db.write() as session:
        asked = comments.write(session, zoe.id, other, "a question that stays")
        comments.write(session, ben.id, other, "an answer to it", parent_id=asked.id)
        comments.write(session, ben.id, ref, "a remark")
        likes.react(session, zoe.id, other, "like")
        cases.report(session, zoe.id, other, kind="other", text="quokkareport")
        cases.report(session, ben.id, feed_access.ref_of(down.id), kind="false")
        number = session.scalars(select(Case.id).where(Case.author_id == zoe.id)).one()
        cases.decide(session, mo.id, number, hide=True, reason="No joke.")
        appeals.appeal(session, zoe.id, number, "quokkaappeal")
        publishing.delete(session, zoe.id, gone.id)
        suspending.suspend(session, mo.id, "xylophage", days=3, reason="Once too often, we said.")
    run(site)
    assert {word for _column, word in traces(site)} == set(PLANTED)
    with site.db.read() as session:
        told = json.dumps(privacy.export(session, zoe.id), ensure_ascii=False)
    assert [word for word in PLANTED if word not in told] == []

    with site.db.write() as session:
        privacy.erase(session, zoe.id, actor=ACTOR, why="Asked for.")
    run(site)
    assert traces(site) == set()
    with site.db.read() as session:
        for person in (ben, mo):
            export = json.dumps(privacy.export(session, person.id), ensure_ascii=False)
            assert not [word for word in PLANTED if word in export.lower()]
        rows = [log.plain(row.as_dict()) for row in log.stream(session, mo.id, log.Asked())]
        assert not [word for word in PLANTED for row in rows if word in row.lower()]
        page = comment_reading.page(session, ben.id, comment_access.place(session, ben.id, other))
        [top] = page.comments
        assert (top.body, top.author, [one.body for one in top.replies]) == (
            "a question that stays", None, ["an answer to it"],
        )  # fmt: skip
        assert list(queue.page(session, mo.id).lines) == []
        assert f"hello @erased-{zoe.id}" in {post.body for post in session.scalars(select(Post))}
