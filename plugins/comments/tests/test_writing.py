"""Writing, editing, deleting: by whom, when, how often; what is counted and told."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from rse_comments import counting, health, personal, plugin, reading, service
from rse_comments.models import Comment, Revision
from rse_core import privacy
from rse_core.api import Actor, BadInput, Conflict, Forbidden, NotFound, ObjectRef, TooMany, utcnow
from rse_core.models.runtime import Outbox
from rse_core.testing.organisation import make_person, make_space, set_level

PAGE = ObjectRef("page", "/news/1")
NOTE = ObjectRef("notes.note", "1")


def edit(core, person, comment, body, version=None):
    with core.db.write() as session:
        return service.edit(session, person.id, comment.id, body, version=version or comment.version)


def delete(core, person, comment, **values):
    with core.db.write() as session:
        return service.delete(session, person.id, comment.id, **values)


def count(core, ref=PAGE):
    with core.db.read() as session:
        assert health.wrong(session) == 0
        return counting.counts(session, [ref]).get(ref, 0)


def thread(core, person, ref=PAGE, **values):
    from rse_comments import access

    with core.db.read() as session:
        return reading.page(session, person.id, access.place(session, person.id, ref), **values)


def bodies(page):
    return [(top.body, [reply.body for reply in top.replies]) for top in page.comments]


def test_a_comment_and_its_answers_are_one_thread_with_one_sub_level(site, anna, ben, write):
    top = write(site, anna, "Which day?")
    reply = write(site, ben, "Tuesday", parent_id=top.id)
    again = write(site, anna, "Thank you", parent_id=reply.id)
    assert (again.parent_id, again.answers_id) == (top.id, reply.id)
    page = thread(site, anna)
    assert bodies(page) == [("Which day?", ["Tuesday", "Thank you"])]
    assert page.comments[0].replies[1].answers.display_name == "Benoît Œuvrard"
    assert page.comments[0].replies[0].answers is None
    assert count(site) == 3


def test_every_address_of_a_page_has_the_same_thread(site, anna, write):
    write(site, anna, ref=ObjectRef("page", "/news/1/?utm_source=mail"))
    assert count(site) == 1


def test_the_same_key_writes_once_and_another_text_under_it_is_refused(site, anna, write):
    first = write(site, anna, "Once", key="abc")
    assert write(site, anna, "Once", key="abc").id == first.id
    with pytest.raises(Conflict):
        write(site, anna, "Twice", key="abc")
    assert count(site) == 1


@pytest.mark.parametrize("body", ["", "   \n\t ", "\x00", "\u202e"])
def test_an_empty_comment_is_refused(site, anna, write, body):
    with pytest.raises(BadInput) as refused:
        write(site, anna, body)
    assert "body" in refused.value.fields


def test_a_comment_that_is_too_long_is_refused_with_the_number_of_characters(site, anna, write):
    with pytest.raises(BadInput, match="4003"):
        write(site, anna, "é" * 4003)
    with site.db.write() as session:
        site.options.set(session, "comments.max_length", 5000, Actor("cli"))
    assert write(site, anna, "é" * 4003).id


@pytest.mark.parametrize(
    "ref", [ObjectRef("nothing", "1"), ObjectRef("page", "https://evil.test/x"), ObjectRef("comments.comment", "1")]
)
def test_what_takes_no_comment_is_not_found(site, anna, write, ref):
    with pytest.raises(NotFound):
        write(site, anna, ref=ref)


def test_a_type_that_is_not_commentable_takes_none(noted, write):
    core, notes = noted
    notes["1"] = {}
    with pytest.raises(NotFound):
        write(core, make_person(core), ref=ObjectRef("notes.other", "1"))


@pytest.mark.parametrize(("state", "error"), [
    ("draft", NotFound), ("pending", NotFound), ("scheduled", NotFound), ("deleted", NotFound), ("archived", Forbidden),
    ("locked", Forbidden),
])  # fmt: skip
def test_what_is_not_published_takes_no_comment(noted, write, state, error):
    core, notes = noted
    notes["1"] = {"state": state}
    with pytest.raises(error):
        write(core, make_person(core), ref=NOTE)


def test_a_private_space_is_not_confirmed_to_exist(noted, write):
    from rse_core.audiences import of_space

    core, notes = noted
    space = make_space(core, "secret", visibility="secret")
    member, stranger = make_person(core, spaces=[space]), make_person(core)
    with core.db.read() as session:
        notes["1"] = {"audience_id": of_space(session, space.id), "space_id": space.id}
    comment = write(core, member, ref=NOTE)
    for act in (
        lambda: write(core, stranger, ref=NOTE),
        lambda: write(core, stranger, ref=NOTE, parent_id=comment.id),
        lambda: edit(core, stranger, comment, "changed"),
        lambda: delete(core, stranger, comment),
    ):
        with pytest.raises(NotFound):
            act()
    with core.db.read() as session, pytest.raises(NotFound):
        service.visible_comment(session, stranger.id, comment.id)


def test_below_comment_nothing_is_written_and_nothing_is_deleted(site, anna, write):
    comment = write(site, anna)
    set_level(site, "react")
    for act in (lambda: write(site, anna), lambda: edit(site, anna, comment, "changed")):
        with pytest.raises(Forbidden) as refused:
            act()
        assert refused.value.decision.reason == "level"
    assert count(site) == 1
    # One's own may be taken back at any level.
    set_level(site, "inform")
    delete(site, anna, comment)
    assert count(site) == 0


def test_answers_go_to_what_stands_on_the_same_object(site, anna, write):
    elsewhere = write(site, anna, ref=ObjectRef("page", "/news/2"))
    gone = write(site, anna)
    delete(site, anna, gone)
    for parent in (elsewhere.id, gone.id, 10**9):
        with pytest.raises(Conflict, match=r"no longer there|n’est plus"):
            write(site, anna, parent_id=parent)


def test_an_edit_keeps_what_was_said_before(site, anna, ben, write):
    comment = write(site, anna, "First")
    edited = edit(site, anna, comment, "Second")
    assert edited.version == 2
    assert edited.edited_at is not None
    with site.db.read() as session:
        assert [row.body for row in service.revisions(session, anna.id, comment.id)] == ["First"]
        with pytest.raises(Forbidden):
            service.revisions(session, ben.id, comment.id)


def test_an_edit_of_a_version_that_has_changed_is_a_conflict_and_writes_nothing(site, anna, write):
    comment = write(site, anna, "First")
    edit(site, anna, comment, "Second", version=1)
    with pytest.raises(Conflict):
        edit(site, anna, comment, "Third", version=1)
    assert bodies(thread(site, anna)) == [("Second", [])]


def test_an_edit_that_changes_nothing_leaves_no_mark(site, anna, write):
    comment = write(site, anna, "First")
    assert edit(site, anna, comment, " First\r\n").edited_at is None


def test_nobody_edits_anothers_comment_not_even_a_moderator(site, anna, ben, write):
    from rse_core import roles

    comment = write(site, anna)
    with site.db.write() as session:
        roles.grant(session, ben.id, "moderator", actor=Actor("cli"))
    with pytest.raises(Forbidden):
        edit(site, ben, comment, "changed")


def test_the_time_for_editing_ends_and_zero_sets_no_end(site, anna, write):
    comment = write(site, anna)
    with site.db.write() as session:
        session.get(Comment, comment.id).created_at = utcnow() - dt.timedelta(minutes=16)
    with pytest.raises(Forbidden, match="15"):
        edit(site, anna, comment, "changed")
    with site.db.write() as session:
        site.options.set(session, "comments.edit_minutes", 0, Actor("cli"))
    assert edit(site, anna, comment, "changed").version == 2


def test_a_deleted_comment_leaves_a_placeholder_only_while_it_has_answers(site, anna, ben, write):
    top = write(site, anna, "Secret words")
    reply = write(site, ben, "Really?", parent_id=top.id)
    delete(site, anna, top)
    page = thread(site, ben)
    assert bodies(page) == [("", ["Really?"])]
    assert page.comments[0].state == "deleted"
    assert page.comments[0].html == ""
    assert page.comments[0].author is None
    with site.db.read() as session, pytest.raises(NotFound):
        service.revisions(session, anna.id, top.id)
    delete(site, ben, reply)
    assert thread(site, ben).comments == ()
    assert count(site) == 0


def test_deleting_twice_is_deleting_once(site, anna, write):
    comment = write(site, anna)
    delete(site, anna, comment)
    delete(site, anna, comment)
    assert count(site) == 0


def test_a_moderator_deletes_with_a_reason_that_the_thread_shows(site, anna, ben, write):
    from rse_core import roles
    from rse_core.audit import entries

    comment = write(site, anna)
    write(site, anna, "An answer", parent_id=comment.id)
    with pytest.raises(Forbidden):
        delete(site, ben, comment, reason="rude")
    with site.db.write() as session:
        roles.grant(session, ben.id, "moderator", actor=Actor("cli"))
    with pytest.raises(BadInput):
        delete(site, ben, comment, reason="  ")
    delete(site, ben, comment, reason="Names a patient")
    assert thread(site, anna).comments[0].reason == "Names a patient"
    with site.db.read() as session:
        assert entries(session)[0].act == "comments.delete"


def test_a_flood_is_stopped(site, anna, write):
    for number in range(service.PER_MINUTE):
        write(site, anna, f"n° {number}")
    with pytest.raises(TooMany):
        write(site, anna, "one more")
    assert count(site) == service.PER_MINUTE


def test_a_closed_thread_keeps_what_it_has_and_takes_nothing_more(site, anna, ben, write):
    from rse_core import roles

    comment = write(site, anna, "Before")
    close = {"locked": True}
    with site.db.write() as session, pytest.raises(Forbidden):
        service.close(session, ben.id, PAGE, **close)
    with site.db.write() as session:
        roles.grant(session, ben.id, "moderator", actor=Actor("cli"))
    with site.db.write() as session:
        service.close(session, ben.id, PAGE, **close)
    for act in (lambda: write(site, anna), lambda: edit(site, anna, comment, "After")):
        with pytest.raises(Forbidden):
            act()
    page = thread(site, anna)
    assert page.closed
    assert bodies(page) == [("Before", [])]
    with site.db.write() as session:
        service.close(session, ben.id, PAGE, locked=False)
    write(site, anna)
    assert count(site) == 2


@pytest.mark.parametrize(
    ("opens", "closes", "open_"), [(1, None, False), (-1, None, True), (None, -1, False), (None, 1, True), (-2, 2, True)]
)
def test_a_thread_is_open_between_its_two_dates(site, anna, write, opens, closes, open_):
    from rse_core import roles

    def day(number):
        return None if number is None else utcnow() + dt.timedelta(days=number)

    with site.db.write() as session:
        roles.grant(session, anna.id, "moderator", actor=Actor("cli"))
    with site.db.write() as session:
        service.close(session, anna.id, PAGE, locked=False, opens_at=day(opens), closes_at=day(closes))
    if open_:
        assert write(site, anna)
    else:
        with pytest.raises(Forbidden):
            write(site, anna)


def test_a_thread_that_closes_before_it_opens_is_refused(site, anna):
    from rse_core import roles

    with site.db.write() as session:
        roles.grant(session, anna.id, "moderator", actor=Actor("cli"))
    with site.db.write() as session, pytest.raises(BadInput):
        service.close(session, anna.id, PAGE, locked=False, opens_at=utcnow(), closes_at=utcnow() - dt.timedelta(1))


def test_events_are_written_with_the_comment_or_not_at_all(site, anna, write):
    def half() -> None:
        with site.db.write() as session:
            service.write(session, anna.id, PAGE, "Never")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    write(site, anna)
    with site.db.read() as session:
        assert [row.name for row in session.scalars(select(Outbox))] == ["comments.published"]
        assert "Bonjour" not in str(session.scalars(select(Outbox)).one().data)


def test_wrong_counters_are_found_and_mended(site, anna, write):
    top = write(site, anna)
    write(site, anna, "Reply", parent_id=top.id)
    with site.db.write() as session:
        from rse_comments.models import CommentCount

        session.get(CommentCount, (PAGE.type, PAGE.id)).count = 9
        session.get(Comment, top.id).replies = 4
    with site.db.write() as session:
        assert not health.check(session).ok
        health.repair(session)
        assert health.check(session).ok
    assert count(site) == 2


def test_personal_data_is_exported_whole_and_erased_without_breaking_the_thread(site, anna, ben, write):
    top = write(site, anna, "Mine, @ben")
    edit(site, anna, top, "Mine, dear @ben")
    write(site, ben, "Hello @anna", parent_id=top.id)
    with site.db.write() as session:
        (row,) = personal.export(session, anna.id)
        assert row["body"] == "Mine, dear @ben"
        assert row["before"][0]["body"] == "Mine, @ben"
        assert personal.erase(session, anna.id) == 1
        assert list(personal.export(session, anna.id)) == []
        assert session.scalars(select(Revision)).all() == []
    page = thread(site, ben)
    assert page.comments[0].author is None
    assert page.comments[0].body == "Mine, dear @ben"
    assert count(site) == 2


def test_nobody_is_named_any_more_once_their_account_is_erased(site, anna, ben, write):
    write(site, ben, "Hello @anna")
    assert "rse-mention" in thread(site, ben).comments[0].html
    with site.db.write() as session:
        privacy.erase(session, anna.id, actor=Actor("cli"))
    assert "rse-mention" not in thread(site, ben).comments[0].html


def test_what_waited_when_its_author_was_erased_can_no_longer_be_approved(site, anna, write):
    from rse_core import moderation

    with site.db.write() as session:
        moderation.review(session, "site", 0, True, actor=Actor("cli"), subject="site")
    write(site, anna, "Waiting")
    with site.db.write() as session:
        personal.erase(session, anna.id)
    with site.db.read() as session:
        assert moderation.queue(session) == []
    assert count(site) == 0


def test_the_plugin_meets_the_contract(core):
    from rse_core.testing import assert_plugin_contract

    assert_plugin_contract(plugin)


def test_a_refusal_by_command_tells_the_author_with_the_reason(site, anna):
    from rse_core import moderation, notify

    with site.db.write() as session:
        moderation.review(session, "site", 0, True, actor=Actor("cli"), subject="site")
    with site.db.write() as session:
        comment = service.write(session, anna.id, PAGE, "A text to be looked at.")
    assert comment.state == "pending"
    with site.db.write() as session:
        (held,) = moderation.queue(session)
        moderation.decide(session, held.id, False, Actor("cli:test"), "Not here.")
    site.jobs.run_due()
    with site.db.read() as session:
        (notice,) = notify.of_person(session, anna.id)
        assert (notice.type, notice.data["reason"], notice.first_actor_id) == ("comments.refused", "Not here.", None)
