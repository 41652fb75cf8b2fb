"""A stream says no more than that something changed, and ends with the right to hear it."""

from __future__ import annotations

import time

from live_reading import Reader, go_round, listen, opening

from rse_core import audiences, sessions
from rse_core.identity import Identity
from rse_core.live.allowed import examine
from rse_core.live.hub import FEW, Hub, Opening
from rse_core.live.rounds import Rounds
from rse_core.models.organisation import Person


def test_many_changes_in_a_short_time_are_one_event():
    hub = Hub(total=5, quiet=0.5)
    stream = hub.open(opening(1, "a.b:1", "a.b:2"))
    reader = Reader(stream)
    reader.until("ready")
    time.sleep(0.6)
    began = time.monotonic()
    hub.tell(["a.b:1"])
    reader.until("changed")
    assert time.monotonic() - began < 0.4, "the first is told at once"
    for _ in range(100):
        hub.tell(["a.b:1", "a.b:2", "a.b:3"])
    reader.until("changed", 3)
    time.sleep(0.7)
    assert sorted(data["topic"] for kind, data in reader.events if kind == "changed") == ["a.b:1", "a.b:1", "a.b:2"]
    hub.stop()
    assert reader.over.wait(5)
    assert not hub.streams or hub.stopped


def test_an_event_holds_a_topic_a_number_and_a_delay_and_nothing_else():
    hub = Hub(total=FEW * 4, per_person=FEW * 4, quiet=0)
    reader = Reader(hub.open(opening(1, "a.b:1")))
    reader.until("ready")
    hub.tell(["a.b:1"])
    assert reader.until("changed") == [{"topic": "a.b:1", "number": 1, "within": 0}]
    for _ in range(FEW * 2):
        hub.open(opening(2, "a.b:1"))
    hub.tell(["a.b:1"])
    assert reader.until("changed", 2)[1]["within"] > 0, "many do not all ask in one moment"
    hub.stop()


def test_who_comes_back_looks_again():
    hub = Hub(total=5)
    reader = Reader(hub.open(opening(1, "a.b:1", again=True)))
    reader.until("again")
    hub.look_again()
    reader.until("again", 2)
    hub.stop()


def test_a_silent_stream_shows_signs_of_life():
    hub = Hub(total=5, beat=0.05)
    reader = Reader(hub.open(opening(1, "a.b:1")))
    end = time.monotonic() + 5
    while reader.text.count(": beat") < 3 and time.monotonic() < end:
        time.sleep(0.02)
    assert reader.text.count(": beat") >= 3
    hub.stop()


def test_the_oldest_stream_of_a_person_gives_way_and_the_total_is_a_limit():
    hub = Hub(total=4, per_person=2, quiet=0)
    first, second, third = (Reader(hub.open(opening(1, "a.b:1"))) for _ in range(3))
    assert first.until("end") == [{"reason": "full"}]
    assert first.over.wait(5)
    assert not second.over.is_set()
    assert not third.over.is_set()
    for stream in [stream for stream in hub.streams if stream.over]:
        stream.close()
    assert hub.open(opening(2, "a.b:1"))
    assert hub.open(opening(3, "a.b:1"))
    assert hub.open(opening(4, "a.b:1")) is None
    assert hub.refused == 1
    hub.stop()


def test_a_stream_that_was_closed_leaves_nothing_behind():
    hub = Hub(total=4)
    for _ in range(10):
        stream = hub.open(opening(1, "a.b:1", "a.b:2"))
        stream.close()
        stream.close()
    assert (hub.streams, hub._by_signal, hub._by_person) == (set(), {}, {})


def test_a_client_that_does_not_read_is_found_out():
    now = [0.0]
    hub = Hub(total=4, clock=lambda: now[0] + 1)
    stream = hub.open(opening(1, "a.b:1"))
    chunks = iter(stream)
    next(chunks)
    assert hub.slow() == []
    now[0] += 60
    assert hub.slow() == [stream]



def test_who_was_put_out_of_a_space_hears_no_more_of_it(core, anna, space):
    board, bell = f"boards.board:{space[1]}", f"core.notices:{anna.id}"
    hub, rounds, reader = listen(core, anna, board, bell)
    reader.until("ready")
    rounds.go()
    with core.db.write() as session:
        put_out(session, space[0], anna)
    for _ in go_round(rounds):
        if any(kind == "gone" for kind, _data in reader.events):
            break
    assert reader.until("gone") == [{"topics": [board]}]
    hub.tell([board])
    hub.tell([bell])
    assert [data["topic"] for data in reader.until("changed")] == [bell]
    hub.stop()


def put_out(session, space, person):
    from sqlalchemy import delete

    from rse_core.models.organisation import SpaceMember
    from rse_core.policy import touch

    session.execute(delete(SpaceMember).where(SpaceMember.space_id == space.id, SpaceMember.person_id == person.id))
    audiences.refresh(session, [person.id])
    touch(session, person.id)


def test_a_stream_ends_when_nothing_is_left_to_hear(core, anna, space):
    hub, rounds, reader = listen(core, anna, f"boards.board:{space[1]}")
    rounds.go()
    with core.db.write() as session:
        put_out(session, space[0], anna)
    for _ in go_round(rounds):
        if reader.over.is_set():
            break
    assert reader.until("end") == [{"reason": "over"}]
    hub.stop()


def test_a_session_that_was_ended_ends_what_it_listens_to_at_once(core, anna, heard):
    with core.db.write() as session:
        text = sessions.begin(session, anna.id, Identity("portal", "anna"), hours=1)
        other = sessions.begin(session, anna.id, Identity("portal", "anna"), hours=1)
    hub, rounds, reader = listen(core, anna, f"core.notices:{anna.id}", text=text)
    kept = Reader(hub.open(Opening(anna.id, other, {f"core.notices:{anna.id}": frozenset(["x.y:1"])})))
    rounds.go()
    heard()
    with core.db.write() as session:
        sessions.end_text(session, text)
    said = heard()
    assert said == [f"core.session:{anna.id}"]
    hub.tell(said)
    rounds.go()
    assert reader.over.wait(5)
    assert not kept.over.is_set()
    hub.stop()


def test_what_one_page_may_hear_cannot_be_said_and_the_others_are_still_looked_at(core, anna, space, boards, make_person):
    hub = Hub(total=10, quiet=0)
    ben = make_person("ben")
    own = {f"core.notices:{ben.id}": frozenset(["x.y:1"])}
    readers = [Reader(hub.open(Opening(anna.id, "", {f"boards.board:{space[1]}": frozenset(["x.y:1"])})))]
    readers += [Reader(hub.open(Opening(ben.id, "", own))) for _ in range(3)]
    for stream in hub.streams:
        stream.checked -= 61
    boards.broken = True
    Rounds(core, hub).go()
    assert readers[0].until("end") == [{"reason": "over"}]
    assert all(stream.checked > hub.clock() - 60 for stream in hub.streams)
    assert not any(reader.over.is_set() for reader in readers[1:])
    hub.stop()


def test_when_the_database_is_away_nobody_is_cut_off_and_everybody_is_looked_at_later(core, anna, monkeypatch):
    hub, rounds, reader = listen(core, anna, f"core.notices:{anna.id}")
    rounds.go()
    (stream,) = hub.streams
    stream.checked -= 61
    looked = stream.checked
    with monkeypatch.context() as away:
        away.setattr(core.db, "read", lambda: (_ for _ in ()).throw(OSError("away")))
        rounds.go()
    assert (stream.checked, reader.over.is_set()) == (looked, False)
    for _ in go_round(rounds):
        if stream.checked > looked:
            break
    assert stream.checked > looked
    assert not reader.over.is_set()
    hub.stop()


def test_a_person_who_left_hears_nothing_more(core, anna):
    hub, rounds, reader = listen(core, anna, f"core.notices:{anna.id}")
    with core.db.write() as session:
        session.get(Person, anna.id).status = "disabled"
    with core.db.read() as session:
        (stream,) = hub.streams
    assert examine(core, stream.opening, stream.topics) == {}
    stream.checked -= 61
    rounds.go()
    assert reader.over.wait(5)
    hub.stop()
