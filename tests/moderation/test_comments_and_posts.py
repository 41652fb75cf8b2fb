"""What moderators do to comments and posts: taken down they are in nobody's list, count, search or digest; and come back."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from sqlalchemy import select

import rse_comments.service as comments
import rse_feed.drafting as drafting
from rse_comments import access as comment_access
from rse_comments import counting
from rse_comments import reading as comment_reading
from rse_comments.health import check as comments_right
from rse_comments.models import Comment
from rse_core import mentions
from rse_core.api import BadInput, ObjectRef, seen, utcnow
from rse_core.testing import as_person
from rse_feed import publishing
from rse_feed import reading as feed_reading
from rse_feed.models import Post
from rse_feed.texts import Written
from rse_governance import appeals, bin, cases, casework, queue, wording
from rse_search import service as search
from rse_search.asking import Asked

PAGE = ObjectRef("page", "/news/1")


def write_comment(core, person, text, parent=None):
    with core.db.write() as session:
        return comments.write(session, person.id, PAGE, text, parent_id=parent).id


def write_post(core, person, text, **values):
    with core.db.write() as session:
        return drafting.write(session, person.id, Written(body=text, audience="everyone", **values)).post.id


def thread(core, person):
    with core.db.read() as session:
        page = comment_reading.page(session, person.id, comment_access.place(session, person.id, PAGE))
        return [(one.body, one.state, one.gone) for top in page.comments for one in (top, *top.replies)]


def count(core):
    with core.db.read() as session:
        return counting.counts(session, [PAGE]).get(PAGE, 0)


def feed(core, person):
    with core.db.read() as session:
        wanted = feed_reading.wanted_of(session, person.id, sort="new")
        return [line.ref.id for line in feed_reading.page(session, person.id, wanted).lines]


def found(core, person, text):
    with core.db.read() as session:
        return [str(one.ref) for one in search.search(session, person.id, Asked(text)).hits]


def take_down(core, people, ref):
    with core.db.write() as session:
        cases.report(session, people["ben"].id, ref, kind="hurtful")
    with core.db.write() as session:
        case = next(
            line.row for line in casework.page(session, people["mo"].id).lines if (line.row.ref_type, line.row.ref_id) ==
            (ref.type, ref.id)
        )  # fmt: skip
        return cases.decide(session, people["mo"].id, case.id, hide=True, reason="It insults.").id


def test_a_comment_taken_down_leaves_a_line_where_it_was_answered_and_comes_back_by_an_appeal(site, people, settle, zora):
    top = write_comment(site, people["anna"], "zebra insult")
    answer = write_comment(site, people["ben"], "please not", parent=top)
    ref = comment_access.own_ref(top)
    settle()
    number = take_down(site, people, ref)
    settle()
    assert thread(site, people["ben"]) == [("", "hidden", True), ("please not", "published", False)]
    assert thread(site, people["anna"])[0] == ("zebra insult", "hidden", False)
    assert thread(site, people["mo"])[0] == ("zebra insult", "hidden", False)
    assert count(site) == 1
    assert found(site, people["ben"], "zebra") == []
    with site.db.read() as session:
        assert seen(session, people["ben"].id, [ref]) == {}
        assert comments_right(session).ok
    with site.db.write() as session:
        appeals.appeal(session, people["anna"].id, number, "A quotation.")
        appeals.decide_appeal(session, zora.id, number, grant=True, reason="Indeed.")
    settle()
    assert thread(site, people["ben"]) == [("zebra insult", "published", False), ("please not", "published", False)]
    assert count(site) == 2
    assert found(site, people["ben"], "zebra") == [str(ref)]
    with site.db.read() as session:
        assert comments_right(session).ok
        assert session.get_one(Comment, answer).state == "published"


def test_a_post_taken_down_is_gone_for_all_but_its_author_and_moderators(site, people, settle):
    number = write_post(site, people["anna"], "zebra post @ben")
    ref = ObjectRef("feed.post", str(number))
    settle()
    assert feed(site, people["ben"]) == [str(number)]
    take_down(site, people, ref)
    settle()
    assert feed(site, people["ben"]) == []
    assert found(site, people["ben"], "zebra") == []
    with site.db.read() as session:
        assert seen(session, people["ben"].id, [ref]) == {}


def test_a_deleted_post_keeps_its_place_in_the_bin_with_its_files_and_comes_back(site, people, settle):
    number = write_post(site, people["anna"], "zebra post @ben")
    ref = ObjectRef("feed.post", str(number))
    with site.db.write() as session:
        publishing.delete(session, people["mo"].id, number, reason="Out of date.")
    settle()
    assert feed(site, people["ben"]) == []
    with site.db.read() as session:
        [line], _more = bin.page(session, people["mo"].id)
        assert line.text == "zebra post @ben"
        # Of a deleted post nothing is told to who does not moderate it.
        assert seen(session, people["ben"].id, [ref]) == {}
    with site.db.write() as session:
        bin.restore(session, people["mo"].id, line.row.id)
    settle()
    assert feed(site, people["ben"]) == [str(number)]
    assert found(site, people["ben"], "zebra") == [str(ref)]
    with site.db.read() as session:
        assert mentions.people_of(session, ref) == [people["ben"].id]


def test_drafts_and_what_never_was_published_are_in_no_bin(site, people, moderated):
    draft = write_post(site, people["anna"], "private thoughts", act="draft")
    pending = write_post(site, people["anna"], "waiting")
    held = write_comment(site, people["anna"], "waiting too")
    with site.db.write() as session:
        for number in (draft, pending):
            publishing.delete(session, people["anna"].id, number)
        comments.delete(session, people["anna"].id, held)
    with site.db.read() as session:
        assert list(bin.page(session, people["mo"].id)[0]) == []


def test_after_its_time_nothing_of_it_is_left(site, people):
    number, comment = write_post(site, people["anna"], "old words"), write_comment(site, people["anna"], "old words")
    with site.db.write() as session:
        publishing.delete(session, people["anna"].id, number)
        comments.delete(session, people["anna"].id, comment)
    with time_machine.travel(utcnow() + dt.timedelta(days=31), tick=False), site.db.write() as session:
        bin.empty(session)
    with site.db.read() as session:
        assert session.scalars(select(Post.body)).all() == [""]
        assert session.scalars(select(Comment.body)).all() == [""]


def test_words_are_looked_for_in_posts_and_comments_when_written_and_when_edited(site, people):
    with site.db.write() as session:
        wording.add(session, people["mo"].id, where="site", act="hold", words="secret")
        wording.add(session, people["mo"].id, where="site", act="refuse", words="insulte")
    assert thread(site, people["ben"]) == []
    held = write_comment(site, people["anna"], "un SÉCRET")
    assert thread(site, people["ben"]) == []
    with pytest.raises(BadInput):
        write_post(site, people["anna"], "rien", title="Quelle insulte")
    with pytest.raises(BadInput):
        write_comment(site, people["anna"], "insulté ? non : insulte")
    plain = write_comment(site, people["anna"], "bonjour")
    number = write_post(site, people["anna"], "bonjour")
    with site.db.write() as session:
        comments.edit(session, people["anna"].id, plain, "bonjour, un secret", version=1)
        drafting.edit(session, people["anna"].id, number, Written(body="un secret", audience="everyone"), version=1)
    assert count(site) == 0
    assert feed(site, people["ben"]) == []
    with site.db.read() as session:
        lines = queue.page(session, people["mo"].id).lines
    assert {(line.ref.type, line.found) for line in lines} == {("comments.comment", "secret"), ("feed.post", "secret")}
    with site.db.write() as session:
        queue.amend(session, people["mo"].id, next(one.row.id for one in lines if one.ref.id == str(held)), "un mot")
        assert queue.decide_many(session, people["mo"].id, [line.row.id for line in lines], approve=True).done == 3


def test_a_planned_post_is_looked_at_again_when_it_appears(site, people):
    at = (utcnow() + dt.timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    number = write_post(site, people["anna"], "un secret", act="schedule", publish_at=at, publish_zone="UTC")
    other = write_post(site, people["anna"], "une insulte", act="schedule", publish_at=at, publish_zone="UTC")
    with site.db.write() as session:
        wording.add(session, people["mo"].id, where="site", act="hold", words="secret")
        wording.add(session, people["mo"].id, where="site", act="refuse", words="insulte")
    with time_machine.travel(utcnow() + dt.timedelta(hours=3), tick=False), site.db.write() as session:
        publishing.publish_due(session)
    with site.db.read() as session:
        assert session.get_one(Post, number).state == "pending"
        assert session.get_one(Post, other).state == "draft"


def test_a_correction_stays_in_the_history_that_its_author_reads(site, people, moderated):
    comment, number = write_comment(site, people["anna"], "before"), write_post(site, people["anna"], "before")
    with site.db.write() as session:
        for line in queue.page(session, people["mo"].id).lines:
            queue.amend(session, people["mo"].id, line.row.id, "after")
    with site.db.read() as session:
        assert [one.body for one in comments.revisions(session, people["anna"].id, comment)] == ["before"]
        post, before = drafting.revisions(session, people["anna"].id, number)
        assert (post.body, [one.body for one in before]) == ("after", ["before"])


def test_what_is_hidden_is_in_no_export_but_its_authors_and_no_erasure_leaves_it(site, people, settle):
    from rse_core import privacy

    comment = write_comment(site, people["anna"], "zebra insult")
    number = write_post(site, people["anna"], "zebra post")
    for ref in (comment_access.own_ref(comment), ObjectRef("feed.post", str(number))):
        take_down(site, people, ref)
    settle()
    with site.db.read() as session:
        assert "zebra" in str(privacy.export(session, people["anna"].id))
        assert "zebra" not in str(privacy.export(session, people["ben"].id))
    with site.db.write() as session:
        privacy.erase(session, people["anna"].id, actor=cases.Actor("cli:tests"))
    with site.db.read() as session:
        assert session.scalars(select(Comment.body)).all() == [""]
        assert session.scalars(select(Post.body)).all() == []


def test_the_charter_is_accepted_in_the_form_of_the_first_post_without_javascript(site, people, rse_app, rse_client):
    import re

    from rse_core import charter

    with site.db.write() as session:
        made = charter.publish(session, title="Charter", body="Be kind.\n- [ ] I am kind.", actor=cases.Actor("cli"))
    anna = as_person(rse_client, people["anna"])
    page = anna.get("/rse/feed/").text
    assert f'value="{made.id}.0" required' in page
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    form = {"csrf_token": token, "form": "short", "body": "my first post", "audience": "everyone", "act": "publish"}
    refused = anna.post("/rse/feed/compose", data={**form, "rse_charter": str(made.id)})
    assert refused.status_code == 403
    assert "my first post" in refused.text
    assert f'value="{made.id}.0" required' in refused.text
    sent = anna.post("/rse/feed/compose", data={**form, "rse_charter": str(made.id), "rse_charter_box": f"{made.id}.0"})
    assert sent.status_code == 303
    assert len(feed(site, people["ben"])) == 1
    assert "rse_charter" not in anna.get("/rse/feed/").text


def test_a_post_taken_down_from_its_own_menu_can_be_appealed_against_and_shown_again_there(site, people, settle, zora):
    from rse_feed import acting

    first, second = (write_post(site, people["anna"], text) for text in ("one", "two"))
    mo = cases.Actor("mo", people["mo"].id)
    with site.db.write() as session:
        for number in (first, second):
            acting.hide(session, mo, number, "It insults.")
    settle()
    with site.db.read() as session:
        mine = {line.ref.id: line.row for line in casework.own(session, people["anna"].id).lines}
    assert {row.reason for row in mine.values()} == {"It insults."}
    with site.db.write() as session:
        acting.show(session, mo, second)
        for row in mine.values():
            appeals.appeal(session, people["anna"].id, row.id, "A quotation.")
            appeals.decide_appeal(session, zora.id, row.id, grant=True, reason="Indeed.")
    assert feed(site, people["ben"]) == [str(second), str(first)]
