"""Who is told of a post: once each, and never of what they cannot open."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from rse_core import moderation, notify, organisation, roles
from rse_core.api import Actor, BadInput, Forbidden, NotificationType, ObjectRef, use_locale
from rse_core.models.runtime import NotificationRow
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level
from rse_feed import drafting, telling
from rse_feed.texts import Written


def write(core, person, body, audience="everyone", **values):
    with core.db.write() as session:
        post = drafting.write(session, person.id, Written(body=body, audience=audience, **values)).post
    core.jobs.run_due()
    return post


def edit(core, person, post, body):
    with core.db.write() as session:
        found = drafting.edit(session, person.id, post.id, Written(body=body), version=post.version).post
    core.jobs.run_due()
    return found


def told(core, person):
    with core.db.read() as session:
        rows = select(NotificationRow.type).where(NotificationRow.person_id == person.id).order_by(NotificationRow.id)
        return list(session.scalars(rows))


def test_somebody_named_is_told_once_however_often_it_is_edited(site, anna, ben):
    post = write(site, anna, "Merci @ben")
    post = edit(site, anna, post, "Merci beaucoup @ben")
    edit(site, anna, post, "Merci encore @ben")
    assert told(site, ben) == ["feed.mentioned"]


def test_a_name_added_later_is_told_then(site, anna, ben):
    cara = make_person(site, "cara")
    post = write(site, anna, "Merci @ben")
    edit(site, anna, post, "Merci @ben et @cara")
    assert (told(site, ben), told(site, cara)) == (["feed.mentioned"], ["feed.mentioned"])


def test_nobody_is_told_of_what_they_cannot_open(site, anna, ben):
    north = make_entity(site, "north")
    quiet = make_person(site, "quiet", level="inform")
    author = make_person(site, "author", entity=north)
    write(site, author, "@ben @quiet", "entity:north")
    write(site, anna, "@quiet")
    assert told(site, ben) == told(site, quiet) == []


def test_nobody_tells_themselves(site, anna):
    write(site, anna, "@anna")
    assert told(site, anna) == []


def test_the_members_of_a_space_are_told_as_the_space_and_each_of_them_want(site, anna, ben):
    space = make_space(site, "garden", members=[anna, ben])
    cara = make_person(site, "cara", spaces=[space])
    with site.db.write() as session:
        session.get_one(type(space), space.id).notify = "all"
        notify.mute(session, cara.id, ObjectRef("communities.space", str(space.id)))
    write(site, anna, "Récolte", "space:garden")
    assert (told(site, ben), told(site, cara), told(site, anna)) == (["feed.posted"], [], [])
    write(site, anna, "@ben @cara récolte", "space:garden")
    assert told(site, ben) == ["feed.posted", "feed.mentioned"]
    assert told(site, cara) == ["feed.mentioned"]


def test_a_whole_space_is_called_by_who_may_announce_there(site, anna, ben):
    space = make_space(site, "garden", members=[ben], managers=[anna])
    with pytest.raises(Forbidden):
        write(site, ben, "@space venez", "space:garden")
    write(site, anna, "@espace venez", "space:garden")
    assert told(site, ben) == ["feed.called"]
    with site.db.write() as session:
        site.options.set(session, "feed.mention_all_max", 1, Actor("cli"))
    with pytest.raises(BadInput) as refused:
        write(site, anna, "@space encore", "space:garden")
    assert "body" in refused.value.fields
    assert space.id


def test_everybody_is_called_only_by_who_moderates_that_audience(site, anna, ben):
    with pytest.raises(Forbidden):
        write(site, anna, "@everyone bonjour")
    with site.db.write() as session:
        roles.grant(session, anna.id, "moderator", actor=Actor("cli"))
    write(site, anna, "@tous bonjour")
    assert told(site, ben) == ["feed.called"]


def test_a_call_in_code_calls_nobody(site, anna, ben):
    write(site, anna, "`@everyone` est un mot")
    assert told(site, ben) == []


def test_what_waits_for_a_moderator_tells_nobody_until_it_is_approved(site, anna, ben):
    with site.db.write() as session:
        moderation.review(session, "site", 0, True, actor=Actor("cli"), subject="site")
    write(site, anna, "@ben")
    assert told(site, ben) == []
    with site.db.write() as session:
        (held,) = moderation.queue(session)
        moderation.decide(session, held.id, True, Actor("cli"))
    site.jobs.run_due()
    assert told(site, ben) == ["feed.mentioned"]


def test_somebody_who_left_the_space_meanwhile_is_not_told(site, anna, ben):
    space = make_space(site, "garden", members=[anna, ben])
    with site.db.write() as session:
        drafting.write(session, anna.id, Written(body="@ben", audience="space:garden"))
        organisation.leave_space(session, space.id, ben.id)
    site.jobs.run_due()
    assert told(site, ben) == []


def test_a_level_that_was_lowered_before_the_job_runs_tells_nobody(site, anna, ben):
    with site.db.write() as session:
        drafting.write(session, anna.id, Written(body="@ben", audience="everyone"))
    set_level(site, "inform")
    site.jobs.run_due()
    assert told(site, ben) == []


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_each_kind_has_its_line_in_both_languages(locale):
    data = {"title": "Jardin", "reason": "Hors sujet"}
    with use_locale(locale):
        lines = [
            str(render(2, data)) for render in (
                telling.render_mentioned, telling.render_called, telling.render_posted, telling.render_refused,
                telling.render_scheduled_refused,
            )
        ]  # fmt: skip
    assert all("Jardin" in line for line in lines)
    assert sum("Hors sujet" in line for line in lines) == 2
    assert len(set(lines)) == 5


def test_every_type_that_is_sent_is_registered(core):
    names = {kind.name for owner, kind in core.plugins.contributions(NotificationType) if owner == "feed"}
    assert {"feed.mentioned", "feed.called", "feed.posted", "feed.refused", "feed.scheduled_refused"} <= names
