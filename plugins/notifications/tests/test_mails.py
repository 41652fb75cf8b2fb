"""What is mailed at once: to whom it concerns and who wants it, checked again when it leaves, once each."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, update

from rse_core import notify, organisation, people
from rse_core.api import ObjectRef, TooMany, Undeliverable, utcnow
from rse_core.audiences import of_members
from rse_core.models.organisation import Person
from rse_core.models.runtime import NotificationRow
from rse_core.testing.organisation import make_entity, make_space, set_level
from rse_notifications import planning, sending
from rse_notifications.models import Address, Message

NOTE = ObjectRef("bulletin.note", "1")


def states(core):
    with core.db.read() as session:
        return sorted(tuple(row) for row in session.execute(select(Message.state, Message.note)))


def due_now(core):
    """As if the time to wait were over."""
    with core.db.write() as session:
        session.execute(update(Message).values(due_at=utcnow()))
        session.execute(update(Message).where(Message.lease_until.is_not(None)).values(lease_until=utcnow()))


def test_a_notification_leaves_once_with_all_that_a_mail_needs(anna, ben, tell, run):
    tell(anna, actor=ben)
    (mail,) = run()
    assert (mail.address, mail.name, mail.locale) == ("anna@example.org", "Anna Sérès", "en")
    assert mail.subject == "[Intranet] Benoît Œuvrard and 1 on Note 1"
    for text in (mail.text, mail.html):
        assert "https://intranet.example/rse/n/1" in text
        assert "https://intranet.example/rse/notifications/preferences" in text
        assert "A note for you" in text, "why it came"
    assert "<img" not in mail.html
    assert mail.headers["List-Unsubscribe"].startswith("<https://intranet.example/rse/notifications/unsubscribe/")
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert run() == []


def test_a_mail_speaks_the_persons_language_and_what_people_wrote_stays_text(reader, tell, run, bulletin):
    bulletin.notes["1"] = {"title": "<b>Été</b> & Cie"}
    tell(reader("zoe", name="Zoé", locale="fr"), actor=reader("ben"))
    (mail,) = run()
    assert mail.locale == "fr"
    assert "&lt;b&gt;Été&lt;/b&gt; &amp; Cie" in mail.html
    assert "<b>Été</b> & Cie" in mail.text


def test_a_broadcast_leaves_once_for_each_of_its_audience(site, anna, ben, reader, announce, run):
    quiet = make_entity(site, "quiet")
    set_level(site, "inform", entity=quiet)
    reader("low", entity=quiet)
    announce(actor=ben)
    assert [mail.address for mail in run()] == ["anna@example.org"]
    assert run() == []
    with site.db.read() as session:
        assert session.scalars(select(Message.person_id)).all() == [anna.id], "none is made for who may not have it"


def test_chunks_add_up(site, anna, reader, announce, tell, run, monkeypatch):
    monkeypatch.setattr(planning, "CHUNK", 2)
    everybody = [anna, *(reader(f"p{number}") for number in range(6))]
    announce()
    for person in everybody:
        tell(person, "bulletin.named")
    assert len(run()) == 2 * len(everybody)
    assert run() == []


@pytest.mark.parametrize(
    "meanwhile",
    ["read", "left", "muted", "space", "lowered", "pending", "deleted", "private", "unwanted", "withdrawn", "no address"],
)
def test_what_changed_before_it_left_is_looked_at_again(site, anna, ben, bulletin, tell, announce, run, meanwhile):
    space = make_space(site, "den", members=[anna])
    with site.db.read() as session:
        bulletin.notes["1"] = {"audience_id": of_members(session, space.id), "space_id": space.id}
    tell(anna, actor=ben)
    announce(bulletin.notes["1"]["audience_id"], actor=ben)
    planning.forward(site)
    assert [state for state, _note in states(site)] == ["queued", "queued"]
    with site.db.write() as session:
        if meanwhile == "read":
            notify.mark_read(session, anna.id)
        elif meanwhile == "left":
            people.disable(session, anna.id)
        elif meanwhile == "muted":
            notify.mute(session, anna.id, NOTE)
        elif meanwhile == "space":
            organisation.leave_space(session, space.id, anna.id)
        elif meanwhile == "unwanted":
            notify.choose(session, anna.id, "bulletin.noted", "mail", "daily")
        elif meanwhile == "withdrawn":
            notify.withdraw(session, "c:1")
            notify.withdraw(session, "b:1")
        elif meanwhile == "no address":
            session.get(Person, anna.id).email = ""
    if meanwhile == "lowered":
        set_level(site, "inform")
    elif meanwhile in ("pending", "deleted"):
        bulletin.notes["1"]["state"] = meanwhile
    elif meanwhile == "private":
        bulletin.notes["1"]["audience_id"] = None
    assert run() == []
    assert [state for state, _note in states(site)] == ["dropped", "dropped"]


def test_what_is_firm_leaves_though_it_is_muted(site, anna, ben, tell, announce, run):
    with site.db.write() as session:
        notify.mute(session, anna.id, NOTE)
    tell(anna, actor=ben, firm=True)
    announce(actor=ben, firm=True)
    announce(actor=ben, cause="b:2")
    assert len([mail for mail in run() if mail.person_id == anna.id]) == 2


def test_who_wants_a_type_by_mail_alone_gets_it_there_and_not_in_the_page(site, anna, ben, tell, run):
    with site.db.write() as session:
        notify.choose(session, anna.id, "bulletin.noted", "page", "none")
    tell(anna, actor=ben)
    with site.db.read() as session:
        assert notify.unread(session, anna.id) == 0
        assert notify.of_person(session, anna.id) == []
    assert len(run()) == 1
    tell(anna, actor=ben, cause="c:2")
    assert len(run()) == 1, "the first was told, so the second is another"


def test_the_site_decides_where_the_person_has_not(site, anna, ben, reader, tell, run):
    from rse_core.api import Actor
    from rse_core.notify_choices import set_default

    with site.db.write() as session:
        set_default(session, "bulletin.noted", "mail", "none", Actor("test"))
        set_default(session, "bulletin.decided", "mail", "immediate", Actor("test"))
        notify.choose(session, ben.id, "bulletin.noted", "mail", "immediate")
    for person in (anna, ben):
        tell(person, "bulletin.noted")
        tell(person, "bulletin.decided")
    assert sorted(mail.address for mail in run()) == ["anna@example.org", "ben@example.org", "ben@example.org"]


def test_a_failure_is_tried_again_later_and_in_the_end_given_up(site, anna, tell, post, run):
    tell(anna)
    for _attempt in sending.BACKOFF:
        post.errors.append(OSError("the line is down"))
        assert run() == []
        assert states(site) == [("queued", "OSError: the line is down")]
        due_now(site)
    post.errors.append(OSError("the line is down"))
    assert run() == []
    assert states(site) == [("failed", "OSError: the line is down")]
    due_now(site)
    assert run() == []


def test_the_doctor_sees_what_failed_and_tries_it_again(site, anna, tell, post, run):
    from rse_core.health import examine

    def line(**values):
        return next(one.result for one in examine(site, **values) if one.name == "notifications.messages")

    tell(anna)
    for _attempt in range(len(sending.BACKOFF) + 1):
        post.errors.append(OSError("down"))
        run()
        due_now(site)
    assert not line().ok
    assert line(repair=True).ok
    assert len(run()) == 1
    assert line().ok


def test_a_transport_that_is_busy_makes_everything_wait_and_nothing_fail(site, anna, ben, tell, post, run):
    for number, person in enumerate((anna, ben)):
        tell(person, cause=f"c:{number}")
    post.errors.append(TooMany("busy", retry_after=60))
    assert run() == []
    with site.db.read() as session:
        rows = session.execute(select(Message.state, Message.attempts, Message.due_at)).all()
    assert [(state, attempts) for state, attempts, _due in rows] == [("queued", 0), ("queued", 0)]
    assert all(due > utcnow() + dt.timedelta(seconds=50) for _state, _attempts, due in rows)
    due_now(site)
    assert len(run()) == 2


def test_an_address_that_refuses_again_and_again_is_left_alone_until_it_changes(site, anna, tell, post, run):
    for number in range(sending.REFUSALS + 1):
        post.errors.append(Undeliverable("550 nobody"))
        with site.db.write() as session:
            notify.mark_read(session, anna.id)
        tell(anna, cause=f"c:{number}")
        assert run() == []
    assert len(post.errors) == 1, "the last was not even tried"
    post.errors.clear()
    with site.db.write() as session:
        assert session.get(Address, (anna.id, "mail")).refused == sending.REFUSALS
        session.get(Person, anna.id).email = "anna.new@example.org"
    tell(anna, "bulletin.named", cause="new")
    assert [mail.address for mail in run()] == ["anna.new@example.org"]


def test_a_message_whose_content_is_refused_does_not_blame_the_address(site, anna, tell, post, run):
    post.errors.append(Undeliverable("554 spam", address=False))
    tell(anna)
    assert run() == []
    with site.db.read() as session:
        assert session.get(Address, (anna.id, "mail")) is None
    assert states(site) == [("failed", "554 spam")]


def test_a_worker_that_died_with_a_message_in_its_hands_leaves_it_to_the_next_with_the_same_key(site, anna, tell, run):
    tell(anna)
    planning.forward(site)
    (held,) = sending.claim(site, ["mail"], 20)
    assert sending.claim(site, ["mail"], 20) == [], "under its lease it is nobody else's"
    assert run() == []
    due_now(site)
    (mail,) = run()
    assert mail.key == held.key
    assert sending._still_mine(site, held) is False


def test_what_has_waited_too_long_is_not_sent_any_more(site, anna, tell, run):
    tell(anna)
    planning.forward(site)
    with site.db.write() as session:
        session.execute(update(Message).values(created_at=utcnow() - dt.timedelta(days=4)))
    assert run() == []
    assert states(site) == [("dropped", "too old")]


def test_what_was_told_while_the_plugin_was_away_does_not_leave_at_once(site, anna, tell, announce, run):
    tell(anna)
    announce()
    with site.db.write() as session:
        from rse_core.models.notices import Broadcast

        for table in (NotificationRow, Broadcast):
            session.execute(update(table).values(created_at=utcnow() - dt.timedelta(days=3)))
    assert run() == []
    assert states(site) == []


def test_old_messages_and_notifications_are_dropped(site, anna, tell, announce, run):
    from rse_notifications import jobs
    from rse_notifications.models import Spread

    tell(anna)
    announce()
    run()
    with site.db.write() as session:
        from rse_core.models.notices import Broadcast

        notify.mark_read(session, anna.id)
        long_ago = utcnow() - dt.timedelta(days=400)
        session.execute(update(NotificationRow).values(read_at=long_ago))
        session.execute(update(Broadcast).values(created_at=long_ago))
        session.execute(update(Message).values(done_at=long_ago))
    with site.db.write() as session:
        jobs.prune(session)
    with site.db.read() as session:
        for table in (NotificationRow, Message, Spread, Broadcast):
            assert session.scalars(select(table)).all() == []
