"""Digests: at each person's hour, once a day or a week, of what is new and only then."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from rse_core import notify
from rse_core.api import BadInput, ObjectRef, utcnow
from rse_core.models.runtime import NotificationActor, NotificationRow
from rse_core.testing.organisation import set_level
from rse_notifications import clock, contents, rounds, sending, service
from rse_notifications.models import Message, Round

PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def today(site):
    """A quarter past the site's hour, so that a daily digest is due whatever the clock of the machine says."""
    local = utcnow().astimezone(PARIS)
    with site.db.write() as session:
        from rse_core.api import Actor

        site.options.set(session, "notifications.digest_hour", local.hour, Actor("test"))
    return utcnow()


@pytest.fixture
def digest(site, post, today):
    """``digest()``: what leaves when the digests that are due are made."""

    def digest(now=None):
        before = len(post.sent)
        rounds.plan(site, now=now or today)
        sending.send_due(site)
        return post.sent[before:]

    return digest


def test_what_is_new_comes_in_one_mail_and_not_again(anna, ben, reader, tell, announce, digest, bulletin):
    bulletin.notes["2"] = {}
    tell(anna, "bulletin.liked", actor=ben)
    tell(anna, "bulletin.liked", actor=reader("cleo"), cause="c:2")
    announce(kind="bulletin.liked", ref=ObjectRef("bulletin.note", "2"), actor=ben)
    mails = digest()
    assert [mail.address for mail in mails] == ["anna@example.org", "cleo@example.org"]
    assert "and 2 on Note 1" in mails[0].text
    assert "and 1 on Note 2" in mails[0].text
    assert mails[0].subject == "[Intranet] Your digest: 2 pieces of news"
    assert "/notifications/unsubscribe/" in mails[0].headers["List-Unsubscribe"]
    assert digest() == [], "once a day"


def test_actors_of_whom_one_was_told_are_not_told_of_again(site, anna, ben, reader, tell, digest, today):
    tell(anna, "bulletin.liked", actor=ben)
    assert "Benoît Œuvrard and 1 on" in digest()[0].text
    yesterday = today - dt.timedelta(hours=30)
    with site.db.write() as session:
        session.execute(update(NotificationRow).values(updated_at=yesterday))
        session.execute(update(NotificationActor).values(at=yesterday))
        session.execute(update(Message).values(done_at=yesterday + dt.timedelta(hours=1), key="mail:d:before"))
        session.execute(update(Round).values(day=(yesterday.date() - dt.timedelta(days=1)).isoformat()))
    assert digest() == [], "read or not, it was told"
    with site.db.write() as session:
        session.execute(delete(Round).where(Round.day > yesterday.date().isoformat()))
        session.execute(delete(Message).where(Message.state == "dropped"))
    tell(anna, "bulletin.liked", actor=reader("cleo"), cause="c:2")
    (mail,) = digest()
    assert "Cleo and 1 on" in mail.text


def test_nothing_new_makes_no_mail(site, anna, ben, digest, tell):
    tell(anna, "bulletin.liked", actor=ben)
    with site.db.write() as session:
        notify.mark_read(session, anna.id)
    assert digest() == []


def test_what_may_no_longer_be_told_is_not_in_it(site, anna, ben, digest, tell, bulletin):
    for ident in ("2", "3", "4"):
        bulletin.notes[ident] = {}
        tell(anna, "bulletin.liked", actor=ben, ref=ObjectRef("bulletin.note", ident), cause=ident)
    bulletin.notes["2"]["state"] = "pending"
    bulletin.notes["3"]["audience_id"] = None
    (mail,) = digest()
    assert ("Note 2" in mail.text, "Note 3" in mail.text, "Note 4" in mail.text) == (False, False, True)
    assert "1 piece of news" in mail.subject


def test_who_was_lowered_to_reading_gets_none(site, anna, ben, digest, tell):
    tell(anna, "bulletin.liked", actor=ben)
    set_level(site, "inform")
    assert digest() == []


def test_what_is_worth_reading_is_in_the_digest_that_the_person_chose_for_it(site, anna, ben, digest, bulletin, tell):
    bulletin.reading += ["1", "7"]
    with site.db.write() as session:
        notify.choose(session, anna.id, contents.READING, "mail", "daily")
        notify.choose(session, ben.id, contents.READING, "mail", "none")
    (mail,) = digest()
    assert mail.person_id == anna.id
    assert ("Worth reading" in mail.text, "Read 7" in mail.text) == (True, True)
    with site.db.read() as session:
        who = contents.recipient(session, anna.id)
        since = utcnow() - dt.timedelta(days=1)
    tell(anna, "bulletin.liked", actor=ben)
    with site.db.read() as session:
        found = contents.digest(session, who, "daily", "mail", since)
    assert [one.ref.id for one in found.reading["Worth reading"]] == ["7"], "of note 1 the person is told anyway"


def test_rounds_are_for_those_of_the_hour_and_the_zone(site, anna, ben, tell, digest, today):
    for person in (anna, ben):
        tell(person, "bulletin.liked")
    later = (today.astimezone(PARIS).hour + 3) % 24
    with site.db.write() as session:
        service.set_schedule(session, ben.id, later, "")
    waits = later > today.astimezone(PARIS).hour
    assert {mail.person_id for mail in digest()} == ({anna.id} if waits else {anna.id, ben.id})
    with site.db.write() as session:
        service.set_schedule(session, ben.id, None, "Pacific/Kiritimati")
        assert contents.recipient(session, ben.id).zone == "Pacific/Kiritimati"
        with pytest.raises(BadInput, match="Mars"):
            service.set_schedule(session, ben.id, None, "Mars/Phobos")
        with pytest.raises(BadInput, match="24"):
            service.set_schedule(session, ben.id, 24, "")


def test_a_round_that_was_interrupted_goes_on(site, anna, ben, reader, tell, today, post, monkeypatch):
    monkeypatch.setattr(rounds, "CHUNK", 2)
    everybody = [anna, ben, *(reader(f"p{number}") for number in range(4))]
    for person in everybody:
        tell(person, "bulletin.liked")
    assert rounds.plan(site, now=today, limit=1) == 1
    with site.db.read() as session:
        assert len(session.scalars(select(Message.id)).all()) == 2
    rounds.plan(site, now=today)
    rounds.plan(site, now=today)
    sending.send_due(site)
    assert sorted(mail.person_id for mail in post.sent) == sorted(person.id for person in everybody)


def test_the_page_tells_what_the_next_digest_would_say(site, anna, ben, tell):
    tell(anna, "bulletin.liked", actor=ben)
    with site.db.read() as session:
        found = service.next_digests(session, anna.id)
    assert [one.rhythm for one, _leaves in found] == ["daily", "weekly"]
    assert [line.text for line in found[0][0].mine] == ["Benoît Œuvrard and 1 on Note 1"]
    assert all(leaves > utcnow() for _one, leaves in found)


# -- the clock ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2027-03-27T06:59:00+00:00", None),
        ("2027-03-27T07:00:00+00:00", "2027-03-27"),
        ("2027-03-28T05:59:00+00:00", None),
        ("2027-03-28T06:00:00+00:00", "2027-03-28"),
        ("2027-10-30T06:00:00+00:00", "2027-10-30"),
        ("2027-10-31T06:30:00+00:00", None),
        ("2027-10-31T07:00:00+00:00", "2027-10-31"),
    ],
)
def test_eight_in_the_morning_is_eight_on_the_wall_also_when_the_clocks_change(now, day):
    found = clock.due("daily", PARIS, 8, dt.datetime.fromisoformat(now))
    assert (None if found is None else found.isoformat()) == day


def test_an_hour_that_is_jumped_over_or_comes_twice_is_one_digest():
    jumped = clock.begins(dt.date(2027, 3, 28), 2, PARIS)
    assert jumped.astimezone(PARIS).hour == 3
    twice = clock.begins(dt.date(2027, 10, 31), 2, PARIS)
    assert twice == dt.datetime(2027, 10, 31, 0, tzinfo=dt.UTC)
    quarters = [twice + dt.timedelta(minutes=15 * number) for number in range(-8, 92)]
    found = [clock.due("daily", PARIS, 2, now) for now in quarters]
    assert set(found[:8]) == {None}
    assert set(found[8:]) == {dt.date(2027, 10, 31)}, "all of that day, both times that it is two"


def test_the_weekly_one_is_mondays_and_is_not_made_up_for_on_another_day():
    monday = dt.datetime(2027, 1, 4, 7, 5, tzinfo=dt.UTC)
    assert clock.due("weekly", PARIS, 8, monday) == dt.date(2027, 1, 4)
    assert clock.due("weekly", PARIS, 8, monday - dt.timedelta(minutes=10)) is None
    assert clock.due("weekly", PARIS, 8, monday + dt.timedelta(hours=23)) == dt.date(2027, 1, 4)
    assert clock.due("weekly", PARIS, 8, monday + dt.timedelta(days=2)) is None


@given(
    st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2029, 1, 1)), st.integers(0, 23),
    st.sampled_from(["Europe/Paris", "America/Cayenne", "Indian/Reunion", "Pacific/Noumea", "Australia/Lord_Howe"]),
    st.sampled_from(clock.RHYTHMS),
)  # fmt: skip
def test_the_next_one_is_in_the_future_and_is_due_then(now, hour, zone, rhythm):
    now, place = now.replace(tzinfo=dt.UTC), ZoneInfo(zone)
    leaves = clock.following(rhythm, place, hour, now)
    assert now < leaves <= now + dt.timedelta(days=8)
    day = clock.due(rhythm, place, hour, leaves)
    assert day is not None
    assert clock.begins(day, hour, place) == leaves
