"""Reading: by keyset, in a constant number of queries, and only what one may see; who is told of what."""

from __future__ import annotations

import pytest

from rse_comments import access, objects, reading, service
from rse_comments.models import Comment
from rse_core import moderation, notify, organisation, roles, spaces
from rse_core.api import Actor, BadInput, Forbidden, NotFound, ObjectRef
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level

PAGE = ObjectRef("page", "/news/1")
NOTE = ObjectRef("notes.note", "1")


def thread(core, person, ref=PAGE, **values):
    with core.db.read() as session:
        return reading.page(session, person.id, access.readable(session, person.id, ref), **values)


def ids(page):
    return [top.id for top in page.comments]


def notices(core, person):
    core.jobs.run_due()
    with core.db.read() as session:
        return [(notice.type, notice.actors) for notice in notify.of_person(session, person.id)]


@pytest.fixture
def moderator(site):
    person = make_person(site, "mona", name="Mona Modère")
    with site.db.write() as session:
        roles.grant(session, person.id, "moderator", actor=Actor("cli"))
    return person


@pytest.fixture
def reviewed(site):
    with site.db.write() as session:
        moderation.review(session, "site", 0, True, actor=Actor("cli"), subject="site")
    return site


def fill(core, number, ref=PAGE):
    """Many comments at once, each by another person, every fifth an answer to the one before."""
    from rse_comments import counting

    people = [make_person(core) for _ in range(4)]
    with core.db.write() as session:
        core.pages.ensure(session, ref)
        made = []
        for index in range(number):
            top = made[-1] if made and index % 5 == 4 else None
            row = Comment(
                ref_type=ref.type, ref_id=ref.id, author_id=people[index % 4].id, body=f"n° {index}",
                audience_id=access.place(session, people[0].id, ref).audience_id, parent_id=top.id if top else None,
                answers_id=top.id if top else None,
            )  # fmt: skip
            session.add(row)
            session.flush()
            counting.published(session, row)
            if top is None:
                made.append(row)
    return made


@pytest.mark.parametrize("sort", ["newest", "oldest", "best"])
def test_a_long_thread_comes_by_keyset_without_a_gap_or_a_repeat(site, anna, sort):
    made = fill(site, 60)
    with site.db.write() as session:
        for row in made[::3]:
            service.score(session, row.id, row.id % 4)
    got, after = [], None
    while True:
        page = thread(site, anna, sort=sort, after=after, most=7)
        got += [(top.score, top.id) for top in page.comments]
        after = page.after
        if after is None:
            break
    order = {"newest": lambda k: -k[1], "oldest": lambda k: k[1], "best": lambda k: (-k[0], -k[1])}[sort]
    assert got == sorted(got, key=order)
    assert len(got) == len(set(got)) == len(made)


def test_a_cursor_of_another_order_is_refused(site, anna):
    fill(site, 3)
    with pytest.raises(BadInput):
        thread(site, anna, sort="best", after=(3,))


def test_reading_two_hundred_comments_costs_the_queries_of_twenty(site, anna):
    small, large = PAGE, ObjectRef("page", "/news/2")
    fill(site, 20, small)
    fill(site, 200, large)
    costs = []
    for ref in (small, large):
        with site.db.read() as session:
            info = access.readable(session, anna.id, ref)
            with count_queries(site) as counter:
                page = reading.page(session, anna.id, info, most=reading.MOST)
            costs.append(len(counter))
            assert page.after is None
    assert costs[0] == costs[1] <= 14, costs


def test_the_linked_comment_is_first_with_its_context_and_not_shown_twice(site, anna, ben, write):
    made = fill(site, 50)
    reply = write(site, ben, "Deep", parent_id=made[0].id)
    page = thread(site, anna, linked=reply.id, most=10)
    assert ids(page)[0] == made[0].id
    assert reply.id in [one.id for one in page.comments[0].replies]
    got, after = ids(page), page.after
    while after is not None:
        page = thread(site, anna, linked=reply.id, after=after, most=10)
        got += ids(page)
        after = page.after
    assert len(got) == len(set(got)) == len(made)
    assert thread(site, anna, linked=10**6, after=(10**9,)).comments


def test_an_answer_far_down_is_shown_when_it_is_linked(site, anna, ben, write):
    top = write(site, anna, "Top")
    with site.db.write() as session:
        for index in range(reading.REPLIES + 5):
            session.add(Comment(
                ref_type="page", ref_id="/news/1", parent_id=top.id, answers_id=top.id, author_id=ben.id, body=str(index),
                audience_id=top.audience_id,
            ))  # fmt: skip
        session.get(Comment, top.id).replies = reading.REPLIES + 5
    plain = thread(site, anna).comments[0]
    assert (len(plain.replies), plain.more_replies) == (reading.REPLIES, 5)
    with site.db.read() as session:
        info = access.readable(session, anna.id, PAGE)
        rows, more = reading.more_replies(session, anna.id, info, top.id, after=plain.replies[-1].id, most=3)
        assert [row.body for row in rows] == ["10", "11", "12"]
        rest, end = reading.more_replies(session, anna.id, info, top.id, after=more)
    assert ([row.body for row in rest], end) == (["13", "14"], None)
    assert thread(site, anna, linked=rest[-1].id).comments[0].replies[-1].body == "14"


def test_the_order_is_remembered_for_each_person(site, anna, ben, write):
    first, second = write(site, anna, "1"), write(site, anna, "2")
    with site.db.write() as session:
        reading.remember_sort(session, anna.id, "oldest")
        reading.remember_sort(session, anna.id, "oldest")
        with pytest.raises(BadInput):
            reading.remember_sort(session, anna.id, "by colour")
    assert ids(thread(site, anna)) == [first.id, second.id]
    assert ids(thread(site, ben)) == [second.id, first.id]
    assert ids(thread(site, anna, sort="newest")) == [second.id, first.id]


def test_new_comments_of_others_are_counted_since_the_last_that_was_seen(site, anna, ben, write):
    first = write(site, anna, "1")
    write(site, anna, "2")
    write(site, ben, "3")
    with site.db.read() as session:
        info = access.readable(session, anna.id, PAGE)
        assert reading.newer_than(session, info, first.id, anna.id) == 1
        assert reading.newer_than(session, info, first.id, ben.id) == 1


def test_what_waits_is_for_its_author_and_the_moderators_alone(reviewed, anna, ben, moderator, write):
    from rse_comments import counting

    comment = write(reviewed, anna, "Waiting @ben")
    assert comment.state == "pending"
    assert ids(thread(reviewed, anna)) == ids(thread(reviewed, moderator)) == [comment.id]
    assert ids(thread(reviewed, ben)) == []
    assert notices(reviewed, ben) == []
    with reviewed.db.read() as session:
        assert counting.counts(session, [PAGE]) == {}
        assert list(objects.documents(session, [access.own_ref(comment.id)])) == []
        with pytest.raises(NotFound):
            service.visible_comment(session, ben.id, comment.id)


def test_who_moderates_an_entity_sees_what_waits_of_its_people(reviewed, ben, write):
    north, south = make_entity(reviewed, "north"), make_entity(reviewed, "south")
    inside, outside = make_person(reviewed, entity=north), make_person(reviewed, entity=south)
    with reviewed.db.write() as session:
        roles.grant(session, ben.id, "moderator", scope="entity", scope_id=north.id, actor=Actor("cli"))
    mine, theirs = write(reviewed, inside), write(reviewed, outside)
    page = thread(reviewed, ben)
    assert ids(page) == [mine.id]
    assert page.comments[0].moderated
    assert not page.moderator
    with reviewed.db.write() as session, pytest.raises(NotFound):
        service.delete(session, ben.id, theirs.id, reason="no")


def test_an_approved_comment_is_published_counted_and_told(reviewed, anna, ben, moderator, write):
    from rse_comments import counting

    comment = write(reviewed, anna, "Waiting @ben")
    with reviewed.db.write() as session:
        (held,) = moderation.queue(session)
        moderation.decide(session, held.id, True, Actor("mona", moderator.id))
    assert notices(reviewed, ben) == [("comments.mentioned", 1)]
    assert ids(thread(reviewed, ben)) == [comment.id]
    with reviewed.db.read() as session:
        assert counting.counts(session, [PAGE]) == {PAGE: 1}


def test_a_refused_comment_stays_its_authors_with_the_reason(reviewed, anna, ben, moderator, write):
    comment = write(reviewed, anna, "Waiting")
    with reviewed.db.write() as session:
        (held,) = moderation.queue(session)
        moderation.decide(session, held.id, False, Actor("mona", moderator.id), "Names a patient")
    assert notices(reviewed, anna) == [("comments.refused", 1)]
    (shown,) = thread(reviewed, anna).comments
    assert (shown.state, shown.reason) == ("refused", "Names a patient")
    assert ids(thread(reviewed, ben)) == []
    with reviewed.db.write() as session, pytest.raises(Forbidden):
        service.edit(session, anna.id, comment.id, "Again", version=1)


def test_a_decision_is_on_the_text_that_was_read(reviewed, anna, ben, moderator, write):
    comment = write(reviewed, anna, "Harmless")
    with reviewed.db.write() as session:
        (held,) = moderation.queue(session)
        moderation.decide(session, held.id, True, Actor("mona", moderator.id))
    # The author edits between the decision and its effect.
    with reviewed.db.write() as session:
        service.edit(session, anna.id, comment.id, "Harmful", version=1)
    reviewed.jobs.run_due()
    assert ids(thread(reviewed, ben)) == []
    with reviewed.db.read() as session:
        assert [row.ref_id for row in moderation.queue(session)] == [str(comment.id)]


def test_an_edit_where_publishing_is_moderated_waits_again(site, anna, ben, moderator, write):
    from rse_comments import counting, health

    comment = write(site, anna, "Approved, @ben")
    assert notices(site, ben) == [("comments.mentioned", 1)]
    with site.db.write() as session:
        moderation.review(session, "site", 0, True, actor=Actor("cli"), subject="site")
    with site.db.write() as session:
        assert service.edit(session, anna.id, comment.id, "Changed, @ben", version=1).state == "pending"
    assert notices(site, ben) == []
    assert ids(thread(site, ben)) == []
    with site.db.read() as session:
        assert counting.counts(session, [PAGE]).get(PAGE, 0) == 0
        assert health.wrong(session) == 0


def test_an_answer_does_not_show_a_top_comment_that_waits(site, anna, ben, write):
    top = write(site, anna, "Top")
    reply = write(site, ben, "Reply", parent_id=top.id)
    with site.db.write() as session:
        moderation.review(session, "site", 0, True, actor=Actor("cli"), subject="site")
    with site.db.write() as session:
        service.edit(session, anna.id, top.id, "Not yet approved", version=1)
    assert thread(site, ben, linked=reply.id).comments == ()


def test_each_is_told_once_for_the_nearest_reason(noted, write):
    core, notes = noted
    author, anna, ben, eve = (make_person(core, name) for name in ("author", "anna", "ben", "eve"))
    notes["1"] = {"author_id": author.id}
    top = write(core, anna, "Hello @eve @author", ref=NOTE)
    write(core, ben, "Yes @anna", ref=NOTE, parent_id=top.id)
    assert notices(core, author) == [("comments.commented", 1), ("comments.mentioned", 1)]
    assert notices(core, anna) == [("comments.mentioned", 1)]
    assert notices(core, eve) == [("comments.mentioned", 1)]
    assert notices(core, ben) == []
    write(core, ben, "And more", ref=NOTE, parent_id=top.id)
    assert ("comments.replied", 1) in notices(core, anna)


def test_nobody_is_told_of_what_is_gone(noted, write):
    core, notes = noted
    author, anna = make_person(core, "author"), make_person(core, "anna")
    notes["1"] = {"author_id": author.id}
    early, late = write(core, anna, ref=NOTE), write(core, anna, ref=NOTE)
    with core.db.write() as session:
        service.delete(session, anna.id, late.id)
    assert notices(core, author) == [("comments.commented", 1)]
    with core.db.write() as session:
        service.delete(session, anna.id, early.id)
    assert notices(core, author) == []


def test_a_mention_is_only_of_who_can_read(noted, write):
    from rse_core.audiences import of_space

    core, notes = noted
    space = make_space(core, "team", visibility="secret")
    anna, ben = make_person(core, "anna", spaces=[space]), make_person(core, "ben", spaces=[space])
    stranger = make_person(core, "benjamin")
    with core.db.read() as session:
        notes["1"] = {"audience_id": of_space(session, space.id), "space_id": space.id}
        info = access.place(session, anna.id, NOTE)
        assert [card.id for card in access.suggest(session, info, "be", viewer_id=anna.id)] == [ben.id]
    comment = write(core, anna, "@ben and @benjamin and @nobody and me@ben", ref=NOTE)
    html = thread(core, anna, NOTE).comments[0].html
    assert html.count("rse-mention") == 1
    assert "@benjamin" in html
    assert notices(core, stranger) == []
    assert notices(core, ben) == [("comments.mentioned", 1)]
    assert comment.state == "published"


def test_comments_on_what_a_public_space_keeps_for_its_members_are_for_them_alone(noted, write):
    core, notes = noted
    space = make_space(core, "square", visibility="public")
    anna, ben = make_person(core, "anna", spaces=[space]), make_person(core, "ben", spaces=[space])
    stranger, author = make_person(core, "benjamin"), make_person(core, "author")
    notes["1"] = {"space_id": space.id, "author_id": author.id}
    early = write(core, anna, "Hello @benjamin", ref=NOTE)
    assert thread(core, stranger, NOTE).comments[0].id == early.id
    assert notices(core, author) == [("comments.commented", 1)]
    with core.db.write() as session:
        organisation.set_space_rule(session, space.id, "notes.read", "members")
    late = write(core, anna, "Hello @benjamin", ref=NOTE)
    assert thread(core, ben, NOTE).comments[0].id == late.id
    with pytest.raises(NotFound):
        thread(core, stranger, NOTE)
    with core.db.read() as session:
        info = access.place(session, anna.id, NOTE)
        assert [card.id for card in access.suggest(session, info, "be", viewer_id=anna.id)] == [ben.id]
    assert notices(core, stranger) == [], "not of the second, and of the first no more"
    assert notices(core, author) == [("comments.commented", 1)], "who may not open it is not told"


def test_a_comment_that_one_may_not_know_of_is_answered_as_one_that_there_is_not(noted, write):
    core, notes = noted
    space = make_space(core, "team", visibility="secret")
    anna, stranger = make_person(core, "anna", spaces=[space]), make_person(core, "stranger")
    with core.db.read() as session:
        from rse_core.audiences import of_space

        notes["1"] = {"audience_id": of_space(session, space.id), "space_id": space.id}
    comment = write(core, anna, ref=NOTE)
    for act in (
        lambda session, ident: service.visible_comment(session, stranger.id, ident),
        lambda session, ident: service.revisions(session, stranger.id, ident),
        lambda session, ident: service.object_of(session, stranger.id, ident),
        lambda session, ident: service.delete(session, stranger.id, ident, reason="no"),
        lambda session, ident: service.edit(session, stranger.id, ident, "other", version=1),
    ):
        said = set()
        for ident in (comment.id, 987_654):
            with core.db.write() as session, pytest.raises(NotFound) as refusal:
                act(session, ident)
            said.add(str(refusal.value))
        assert len(said) == 1, said


def test_who_hears_of_mentions_alone_hears_who_names_and_who_answers_them(noted, write):
    core, notes = noted
    space = make_space(core, "team")
    anna, ben = make_person(core, "anna", spaces=[space]), make_person(core, "ben", spaces=[space])
    with core.db.write() as session:
        from rse_core.audiences import of_space

        notes["1"] = {"audience_id": of_space(session, space.id), "space_id": space.id, "author_id": ben.id}
        spaces.set_notify(session, space.id, "mentions", actor=Actor("test"))
    mine = write(core, ben, ref=NOTE)
    write(core, anna, "One more", ref=NOTE)
    assert notices(core, ben) == []
    write(core, anna, "An answer", ref=NOTE, parent_id=mine.id)
    write(core, anna, "Hello @ben", ref=NOTE)
    assert {kind for kind, _number in notices(core, ben)} == {"comments.replied", "comments.mentioned"}


def test_somebody_at_inform_is_neither_offered_nor_told(site, anna, write):
    quiet = make_person(site, "quentin", name="Quentin Quiet", level=0)
    with site.db.read() as session:
        info = access.place(session, anna.id, PAGE)
        assert access.suggest(session, info, "quen", viewer_id=anna.id) == []
    write(site, anna, "Hello @quentin")
    assert notices(site, quiet) == []
    with pytest.raises(NotFound):
        thread(site, quiet)


def test_a_mention_survives_a_change_of_name(site, anna, ben, write):
    from rse_core import people

    write(site, anna, "Thank you, @ben.")
    with site.db.write() as session:
        people.rename(session, ben.id, username="bnew", display_name="Benoît Nouveau")
    assert "@Benoît Nouveau</span>." in thread(site, anna).comments[0].html


@pytest.mark.parametrize("name", ["marie.dupont", "o'neil", "jean-paul_2", "zoé", "anne@corp.example"])
def test_every_kind_of_username_can_be_named(site, anna, write, name):
    make_person(site, name, external_id="x")
    write(site, anna, f"Ask @{name}.")
    assert "rse-mention" in thread(site, anna).comments[0].html


def test_suggestions_are_found_by_any_part_of_a_name_without_accents(site, anna, ben):
    with site.db.read() as session:
        info = access.place(session, anna.id, PAGE)
        for typed in ("anna", "ser", "SÉR", "ann"):
            assert [card.username for card in access.suggest(session, info, typed, viewer_id=anna.id)] == ["anna"], typed
        assert access.suggest(session, info, "%", viewer_id=anna.id) == []
        assert access.suggest(session, info, "", viewer_id=anna.id) == []


def test_comments_are_objects_of_the_core(noted, write):
    from rse_core.objects import resolve

    core, notes = noted
    anna = make_person(core, "anna")
    notes["1"] = {"sections": ("/hr",)}
    comment = write(core, anna, "**Hello** you", ref=NOTE)
    ref = access.own_ref(comment.id)
    with core.db.read() as session:
        info = resolve(session, [ref, ObjectRef("comments.comment", "x"), ObjectRef("comments.comment", "99")])
        assert list(info) == [ref]
        assert info[ref].title == "Hello you"
        assert info[ref].sections == ("/hr",)
        assert info[ref].url == f"/notes/1#rse-comment-{comment.id}"
        (document,) = objects.documents(session, [ref])
        assert document.body == "Hello you"


def test_reactions_move_a_comment_in_the_order_best_first(site, anna, ben, write):
    from rse_core.api import Event, emit

    first, second = write(site, anna, "1"), write(site, anna, "2")
    with site.db.write() as session:
        emit(session, Event("likes.reacted", ben.id, access.own_ref(first.id)))
    site.jobs.run_due()
    site.jobs.run_due()
    assert ids(thread(site, anna, sort="best")) == [first.id, second.id]
    assert thread(site, anna, sort="best").comments[0].score == 1


def test_at_inform_the_site_chooses_whether_comments_are_shown(rse_core, write):
    for shows, seen in (("nothing", False), ("counts", False), ("all", True)):
        core = rse_core(inform_shows=shows)
        set_level(core, "comment")
        write(core, make_person(core))
        quiet = make_person(core, level=0)
        if seen:
            assert len(thread(core, quiet).comments) == 1
        else:
            with pytest.raises(NotFound):
                thread(core, quiet)
