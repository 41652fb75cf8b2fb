"""Writing, editing and deleting posts: what is kept, what is refused, what others see of it at each moment."""

from __future__ import annotations

import datetime as dt
import io
import re
import threading

import pytest
import time_machine
from sqlalchemy import func, select

from rse_core import files, moderation, organisation, people, roles
from rse_core.api import Actor, BadInput, Conflict, Forbidden, NotFound, ObjectRef, TooMany, resolve, utcnow
from rse_core.models.runtime import NotificationRow, Outbox
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_group, make_person, make_space, set_level
from rse_feed import access, drafting, publishing, reading, whom
from rse_feed.models import Entry, Post, PostRevision, SpaceCount
from rse_feed.texts import Written

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000"
    "000049454e44ae426082"
)


def write(core, person, body="Bonjour", audience="everyone", key=None, **values):
    with core.db.write() as session:
        return drafting.write(session, person.id, Written(body=body, audience=audience, **values), key=key).post


def edit(core, person, post, version=None, **values):
    with core.db.write() as session:
        sent = {"body": post.body, "title": post.title, **values}
        return drafting.edit(session, person.id, post.id, Written(**sent), version=version or post.version).post


def listed(core, person, **wanted):
    with core.db.read() as session:
        page = reading.page(session, person.id, reading.Wanted(**wanted))
    return [line.post_id for line in page.lines]


def row(core, post):
    with core.db.read() as session:
        return session.get(Post, post.id)


def events(core, name):
    with core.db.read() as session:
        return session.scalars(select(Outbox.data).where(Outbox.name == name).order_by(Outbox.id)).all()


def told(core, person):
    with core.db.read() as session:
        rows = select(NotificationRow.type).where(NotificationRow.person_id == person.id, NotificationRow.read_at.is_(None))
        return sorted(session.scalars(rows))


def review(core, scope="site", ident=0):
    with core.db.write() as session:
        moderation.review(session, scope, ident, True, actor=Actor("cli"), subject=scope)


def decide(core, approve, reason=""):
    with core.db.write() as session:
        (held,) = moderation.queue(session)
        moderation.decide(session, held.id, approve, Actor("cli"), reason)
    core.jobs.run_due()


# -- what is written ------------------------------------------------------------------------------------------------------


def test_a_published_post_has_an_entry_an_event_and_a_place_in_the_count(site, anna):
    space = make_space(site, "garden", members=[anna])
    post = write(site, anna, "Récolte", audience="space:garden", title="Samedi")
    with site.db.read() as session:
        entry = session.scalars(select(Entry)).one()
        assert (entry.ref_type, entry.ref_id, entry.title, entry.space_id) == ("feed.post", str(post.id), "Samedi", space.id)
        assert (entry.audience_id, entry.actor_id) == (post.audience_id, anna.id)
        assert session.get_one(SpaceCount, space.id).posts == 1
    assert events(site, "feed.published") == [{"space": space.id, "announcement": False, "first": True}]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"body": " \n"}, "body"), ({"body": "x" * 20_001}, "body"), ({"title": "x" * 201}, "title"),
        ({"audience": ""}, "audience"), ({"audience": "group:none"}, "audience"), ({"must_read": True}, "announcement"),
        ({"act": "schedule", "publish_at": "soon"}, "publish_at"),
        ({"act": "schedule", "publish_at": "2099-01-01T00:00"}, "publish_at"),
        ({"link": {"url": "javascript:alert(1)"}}, "link"), ({"link": {"url": "//evil.example"}}, "link"),
        ({"link": {"url": "https://user@evil.example/"}}, "link"), ({"body": "@space bonjour"}, "body"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_with_its_field_and_writes_nothing(site, values, field):
    boss = make_person(site, "boss")
    with site.db.write() as session:
        roles.grant(session, boss.id, "site_admin", actor=Actor("cli"))
    with pytest.raises(BadInput) as refused:
        write(site, boss, **{"body": "Bonjour", **values})
    assert field in refused.value.fields
    with site.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Post)) == 0


def test_a_title_is_one_line_and_keeps_the_fixed_spaces_of_french(site, anna):
    assert write(site, anna, title=" Mobilité\u00a0:  lire\nune fiche ").title == "Mobilité\u00a0: lire une fiche"


def test_titles_are_as_the_site_wants_them(site, anna):
    def want(value):
        with site.db.write() as session:
            site.options.set(session, "feed.title", value, Actor("cli"))

    want("required")
    with pytest.raises(BadInput) as refused:
        write(site, anna)
    assert "title" in refused.value.fields
    assert write(site, anna, act="draft").state == "draft"
    want("none")
    assert write(site, anna, title="Left out").title == ""
    with pytest.raises(BadInput), site.db.write() as session:
        site.options.set(session, "feed.title", "sometimes", Actor("cli"))


def test_one_chooses_among_the_audiences_one_is_in(site):
    head = make_entity(site, "head")
    north = make_entity(site, "north", parent=head)
    make_entity(site, "south", parent=head)
    group = make_group(site, "managers")
    garden = make_space(site, "garden")
    square = make_space(site, "square", visibility="public")
    make_space(site, "elsewhere", visibility="public")
    person = make_person(site, "nora", entity=north, groups=[group], spaces=[garden, square])
    with site.db.read() as session:
        found = [choice.key for choice in whom.choices(session, person.id)]
        assert found == [
            "everyone", "entity:north", "entity:head", "group:managers", "space:garden", "space:square", "members:square",
        ]  # fmt: skip
        assert whom.default(whom.choices(session, person.id)).key == "entity:north"
        assert whom.default(whom.choices(session, person.id), "garden").key == "space:garden"
        listed = whom.options(session, person.id, "space:garden")
        assert re.findall(r'<option value="([^"]+)"', listed) == found
        assert re.findall(r'value="([^"]+)" selected', listed) == ["space:garden"]
        assert "selected" not in whom.options(session, person.id, 'x"><script>')
        for choice in whom.choices(session, person.id):
            assert whom.key_of(session, choice.audience_id, choice.space_id) == choice.key
    for foreign in ("entity:south", "space:elsewhere", "everyone2"):
        with pytest.raises(BadInput):
            write(site, person, audience=foreign)


def test_somebody_from_outside_posts_for_their_space_and_nobody_else(site):
    space = make_space(site, "project")
    guest = make_person(site, "guest", external=True)
    with site.db.write() as session:
        organisation.join_space(session, space.id, guest.id, "external")
    with pytest.raises(Forbidden):
        write(site, guest, audience="space:project")
    with site.db.write() as session:
        organisation.set_space_rule(session, space.id, "feed.post", "all")
    assert write(site, guest, audience="space:project").state == "published"
    for audience in ("everyone", "entity:north"):
        with pytest.raises(BadInput):
            write(site, guest, audience=audience)


def test_in_a_space_its_rule_says_who_posts(site, anna, ben):
    space = make_space(site, "news", members=[ben], managers=[anna])
    with site.db.write() as session:
        organisation.set_space_rule(session, space.id, "feed.post", "managers")
    assert write(site, anna, audience="space:news").state == "published"
    with pytest.raises(Forbidden):
        write(site, ben, audience="space:news")


def test_lowering_the_level_closes_writing_and_takes_nothing_away(site, anna, ben):
    post = write(site, anna)
    set_level(site, "react")
    assert listed(site, ben) == [post.id]
    with pytest.raises(Forbidden):
        write(site, anna)
    with pytest.raises(Forbidden):
        edit(site, anna, post, body="Autre")
    with site.db.write() as session:
        publishing.delete(session, anna.id, post.id)
    assert listed(site, ben) == []


def test_the_same_key_writes_once_and_another_text_under_it_is_a_conflict(site, anna):
    assert write(site, anna, key="k1").id == write(site, anna, key="k1").id
    with pytest.raises(Conflict):
        write(site, anna, "Autre texte", key="k1")


def test_two_clicks_at_once_write_one_post(site, anna):
    start, made = threading.Barrier(2), []

    def click():
        start.wait()
        made.append(write(site, anna, key="twice").id)

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1
    assert len(listed(site, anna)) == 1


def test_a_flood_of_posts_is_stopped(site, anna):
    with time_machine.travel(utcnow(), tick=False):
        for number in range(drafting.PER_MINUTE):
            write(site, anna, str(number + 1))
        with pytest.raises(TooMany):
            write(site, anna)


def test_files_go_with_the_post_and_another_persons_upload_does_not(rse_core, tmp_path, rse_plugins):
    core = rse_core(rse_plugins, data_dir=str(tmp_path))
    set_level(core, "contribute")
    anna, ben = make_person(core, "anna"), make_person(core, "ben")
    with core.db.write() as session:
        info = files.keep(session, anna.id, io.BytesIO(PNG), "plan.png", alt="Plan")
        foreign = files.keep(session, ben.id, io.BytesIO(PNG), "secret.png")
    post = write(core, anna, files=(info.key,))
    with core.db.read() as session:
        line = reading.one(session, anna.id, post.id)
        assert [(one.key, one.alt) for one in line.files] == [(info.key, "Plan")]
    with pytest.raises(NotFound):
        edit(core, anna, post, files=(foreign.key,))
    same = edit(core, anna, post)
    with core.db.read() as session:
        assert len(reading.one(session, anna.id, same.id).files) == 1
    with core.db.write() as session:
        publishing.delete(session, anna.id, post.id)
        assert files.of(session, [access.ref_of(post.id)]) == {}


# -- drafts, planned posts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["draft", "schedule"])
def test_what_is_not_published_is_nowhere_for_others(site, anna, ben, act):
    space = make_space(site, "garden", members=[anna, ben])
    when = (utcnow() + dt.timedelta(days=2)).isoformat()
    post = write(site, anna, "@ben secret", audience="space:garden", act=act, publish_at=when)
    site.jobs.run_due()
    ref = access.ref_of(post.id)
    assert listed(site, ben) == listed(site, ben, space_id=space.id) == listed(site, anna) == []
    assert told(site, ben) == []
    with site.db.read() as session:
        assert session.get(SpaceCount, space.id) is None
        assert reading.news(session, ben.id, utcnow() - dt.timedelta(days=1)) == 0
        assert list(site.plugins.search_documents(session, [ref])) == []
        assert resolve(session, [ref])[ref].state in ("draft", "scheduled")
        with pytest.raises(NotFound):
            access.readable(session, ben.id, post.id)
        assert access.readable(session, anna.id, post.id).id == post.id
        assert [mine.id for mine in reading.mine(session, anna.id)[0]] == [post.id]
        assert reading.mine(session, ben.id) == ([], None)


def test_a_planned_post_appears_at_its_time_and_tells_then(site, anna, ben):
    make_space(site, "garden", members=[anna, ben])
    when = utcnow() + dt.timedelta(hours=2)
    post = write(site, anna, "@ben", audience="space:garden", act="schedule", publish_at=when.isoformat())
    site.jobs.run_due()
    assert row(site, post).state == "scheduled"
    with time_machine.travel(when + dt.timedelta(seconds=1)):
        site.jobs.run_due()
        site.jobs.run_due()
    assert row(site, post).published_at >= when
    assert listed(site, ben) == [post.id]
    assert told(site, ben) == ["feed.mentioned"]
    assert len(events(site, "feed.published")) == 1


def test_what_its_author_may_no_longer_post_goes_back_to_them_with_the_reason(site, anna, ben):
    post = write(site, anna, act="schedule", publish_at=(utcnow() + dt.timedelta(hours=1)).isoformat())
    set_level(site, "react")
    with time_machine.travel(utcnow() + dt.timedelta(hours=2)):
        site.jobs.run_due()
    assert row(site, post).state == "draft"
    assert told(site, anna) == ["feed.scheduled_refused"]
    assert listed(site, ben) == []


def test_a_planned_post_is_held_where_publishing_is_moderated_by_then(site, anna):
    post = write(site, anna, act="schedule", publish_at=(utcnow() + dt.timedelta(hours=1)).isoformat())
    review(site)
    with time_machine.travel(utcnow() + dt.timedelta(hours=2)):
        site.jobs.run_due()
    assert row(site, post).state == "pending"


def test_a_draft_becomes_a_plan_a_draft_again_and_a_post(site, anna, ben):
    post = write(site, anna, act="draft")
    when = (utcnow() + dt.timedelta(days=1)).isoformat()
    post = edit(site, anna, post, act="schedule", publish_at=when)
    assert post.state == "scheduled"
    post = edit(site, anna, post, act="draft")
    assert (post.state, post.publish_at) == ("draft", None)
    post = edit(site, anna, post, act="publish", body="Prêt")
    assert post.state == "published"
    assert post.edited_at is None
    assert listed(site, ben) == [post.id]
    with site.db.read() as session:
        assert session.scalar(select(func.count()).select_from(PostRevision)) == 0
    with pytest.raises(Conflict):
        edit(site, anna, post, act="draft")


# -- edits ----------------------------------------------------------------------------------------------------------------


def test_an_edit_is_marked_and_keeps_what_was_said_before(site, anna, ben):
    post = edit(site, anna, write(site, anna, "Avant", title="Un"), body="Après", title="Deux")
    assert post.edited_at is not None
    assert post.version == 2
    with site.db.read() as session:
        found, before = drafting.revisions(session, anna.id, post.id)
        assert [(one.title, one.body, one.version) for one in before] == [("Un", "Avant", 1)]
        with pytest.raises(Forbidden):
            drafting.revisions(session, ben.id, post.id)
        assert session.scalars(select(Entry.title)).all() == ["Deux"]
    assert len(events(site, "feed.edited")) == 1


def test_an_edit_that_changes_nothing_is_none(site, anna):
    post = edit(site, anna, write(site, anna))
    assert (post.version, post.edited_at) == (1, None)
    assert events(site, "feed.edited") == []


def test_the_later_of_two_edits_is_a_conflict_and_writes_nothing(site, anna):
    post = write(site, anna)
    edit(site, anna, post, version=1, body="Premier")
    with pytest.raises(Conflict):
        edit(site, anna, post, version=1, body="Second")
    assert row(site, post).body == "Premier"


def test_nobody_edits_anothers_post_and_learns_nothing_of_a_secret_one(site, anna, ben):
    make_space(site, "secret", visibility="secret", members=[anna])
    open_post, secret = write(site, anna), write(site, anna, audience="space:secret")
    with pytest.raises(Forbidden):
        edit(site, ben, open_post, body="Autre")
    with pytest.raises(NotFound) as one:
        edit(site, ben, secret, body="Autre")
    with pytest.raises(NotFound) as other, site.db.write() as session:
        drafting.edit(session, ben.id, 999_999, Written(body="x"), version=1)
    assert str(one.value) == str(other.value)


def test_narrowing_hides_at_once_and_widening_must_be_confirmed(site, anna, ben):
    north = make_entity(site, "north")
    with site.db.write() as session:
        people.move(session, anna.id, north.id)
    post = write(site, anna)
    assert listed(site, ben) == [post.id]
    post = edit(site, anna, post, audience="entity:north")
    assert listed(site, ben) == []
    with pytest.raises(BadInput) as refused:
        edit(site, anna, post, audience="everyone")
    assert "audience" in refused.value.fields
    assert listed(site, ben) == []
    edit(site, anna, post, audience="everyone", widen=True)
    assert listed(site, ben) == [post.id]


def test_an_author_who_left_the_space_cannot_write_into_it_any_more(site, anna):
    space = make_space(site, "garden", members=[anna])
    post = write(site, anna, audience="space:garden")
    with site.db.write() as session:
        organisation.leave_space(session, space.id, anna.id)
    with pytest.raises(Forbidden):
        edit(site, anna, post, body="Autre")
    with site.db.read() as session, pytest.raises(Forbidden) as refused:
        access.readable(session, anna.id, post.id)
    assert refused.value.decision is None


# -- moderation -----------------------------------------------------------------------------------------------------------


def test_an_edit_of_what_was_approved_waits_again_and_is_out_of_sight_meanwhile(site, anna, ben):
    space = make_space(site, "garden", members=[anna, ben])
    review(site)
    post = write(site, anna, "Premier", audience="space:garden")
    decide(site, True)
    assert listed(site, ben) == [post.id]
    post = edit(site, anna, row(site, post), body="Second")
    assert post.state == "pending"
    assert listed(site, ben) == []
    with site.db.read() as session:
        assert session.get_one(SpaceCount, space.id).posts == 0
    assert len(events(site, "feed.withdrawn")) == 1
    first = row(site, post).published_at
    decide(site, True)
    assert (row(site, post).state, row(site, post).published_at) == ("published", first)


def test_a_decision_on_the_text_before_does_not_publish_the_one_after(site, anna, ben):
    review(site)
    post = write(site, anna, "Premier")
    with site.db.write() as session:
        (held,) = moderation.queue(session)
        moderation.decide(session, held.id, True, Actor("cli"))
    # Edited between the decision and its delivery.
    edit(site, anna, post, body="Second, que personne n’a lu")
    site.jobs.run_due()
    assert row(site, post).state == "pending"
    assert listed(site, ben) == []


def test_a_refused_post_is_its_authors_with_the_reason_and_can_be_sent_again(site, anna, ben):
    review(site)
    post = write(site, anna)
    decide(site, False, "Trop long")
    found = row(site, post)
    assert (found.state, found.reason) == ("refused", "Trop long")
    assert told(site, anna) == ["feed.refused"]
    with site.db.read() as session, pytest.raises(NotFound):
        access.readable(session, ben.id, post.id)
    post = edit(site, anna, found, body="Court")
    assert post.state == "pending"
    assert row(site, post).reason == ""


def test_the_moderators_of_the_author_read_what_waits(site, ben):
    north = make_entity(site, "north")
    author, mona = make_person(site, "author", entity=north), make_person(site, "mona")
    with site.db.write() as session:
        roles.grant(session, mona.id, "moderator", scope="entity", scope_id=north.id, actor=Actor("cli"))
    review(site)
    post = write(site, author)
    with site.db.read() as session:
        assert access.readable(session, mona.id, post.id).id == post.id
        with pytest.raises(NotFound):
            access.readable(session, ben.id, post.id)


def test_one_who_takes_a_waiting_post_back_takes_it_out_of_the_queue(site, anna):
    review(site)
    post = write(site, anna)
    edit(site, anna, post, act="draft")
    with site.db.read() as session:
        assert moderation.queue(session) == []


# -- deleting -------------------------------------------------------------------------------------------------------------


def test_deleting_takes_everything_with_it(site, anna, ben):
    space = make_space(site, "garden", members=[anna, ben])
    post = write(site, anna, "@ben", audience="space:garden")
    site.jobs.run_due()
    assert told(site, ben) == ["feed.mentioned"]
    for _ in range(2):
        with site.db.write() as session:
            publishing.delete(session, anna.id, post.id)
    assert told(site, ben) == []
    with site.db.read() as session:
        assert session.scalars(select(Entry.id)).all() == []
        assert session.get_one(SpaceCount, space.id).posts == 0
        assert list(site.plugins.search_documents(session, [access.ref_of(post.id)])) == []
    assert events(site, "feed.deleted") == [{"space": space.id, "by_moderator": False, "was": "published"}]


def test_a_moderator_deletes_with_a_reason_and_others_do_not(site, anna, ben):
    mona = make_person(site, "mona")
    with site.db.write() as session:
        roles.grant(session, mona.id, "moderator", actor=Actor("cli"))
    post = write(site, anna)
    with pytest.raises(Forbidden), site.db.write() as session:
        publishing.delete(session, ben.id, post.id, reason="no")
    with pytest.raises(BadInput), site.db.write() as session:
        publishing.delete(session, mona.id, post.id)
    with pytest.raises(Conflict), site.db.write() as session:
        publishing.delete(session, mona.id, post.id, reason="Hors sujet", version=7)
    with site.db.write() as session:
        publishing.delete(session, mona.id, post.id, reason="Hors sujet", version=1)
    found = row(site, post)
    assert (found.state, found.reason, found.decided_by) == ("deleted", "Hors sujet", mona.id)


def test_who_was_told_of_a_post_hears_why_it_does_not_open(site, anna, ben):
    space = make_space(site, "garden", members=[anna, ben])
    post = write(site, anna, "@ben", audience="space:garden")
    site.jobs.run_due()
    cara = make_person(site, "cara")
    with site.db.write() as session:
        organisation.leave_space(session, space.id, ben.id)
    with site.db.read() as session:
        with pytest.raises(Forbidden):
            access.readable(session, ben.id, post.id)
        with pytest.raises(NotFound):
            access.readable(session, cara.id, post.id)


def test_deciding_what_somebody_may_do_with_a_post_asks_no_query(site, anna):
    post = write(site, anna)
    values = {"author_id": anna.id, "audience_id": post.audience_id, "space_id": None, "state": "published",
              "author_entity": None}  # fmt: skip
    with site.db.read() as session:
        access.rights(session, anna.id, **values)
        with count_queries(site) as queries:
            found = access.rights(session, anna.id, **values)
    assert len(queries) == 0
    assert (found.mine, found.edit, found.delete, found.moderate, found.manage) == (True, True, True, False, False)


def test_a_reference_that_is_no_number_names_no_post(site):
    with site.db.read() as session:
        assert resolve(session, [ObjectRef("feed.post", "x"), ObjectRef("feed.post", "9" * 30)]) == {}
