"""Live within one process: what is said leaves with the commit, who may listen is asked anew, and a stream says no more than
that something changed."""

from __future__ import annotations

import json
import threading
import time

import psycopg
import pytest
from sqlalchemy import make_url, select

from rse_core import audiences, notify, sessions
from rse_core.api import (
    Actor,
    Capability,
    Level,
    LiveTopic,
    Manifest,
    NotificationType,
    ObjectRef,
    Plugin,
    RseError,
    hookimpl,
    say_changed,
)
from rse_core.identity import Identity
from rse_core.live import CHANNEL, LONGEST, is_topic, payloads
from rse_core.live.allowed import MOST, examine, topics
from rse_core.live.hub import FEW, Hub, Opening
from rse_core.live.rounds import Rounds
from rse_core.models.organisation import Person
from rse_core.testing import count_queries


class Boards(Plugin):
    """Boards of spaces: who is in the space's audience may listen."""

    manifest = Manifest("boards", "Boards")
    broken = False

    @hookimpl
    def rse_capabilities(self):
        return [Capability("boards.read", "Read", Level.REACT, writes=False)]

    @hookimpl
    def rse_notification_types(self):
        return [NotificationType("boards.moved", "Moved", lambda _count, _data: "Moved", stays=True)]

    @hookimpl
    def rse_live_topics(self):
        return [
            LiveTopic("boards.board", self.may_listen),
            LiveTopic("boards.mine", lambda _session, person_id, ident: ident == str(person_id), stands_for=self.signs),
        ]

    def may_listen(self, session, person_id, ident):
        if self.broken:
            raise RuntimeError("broken")
        return ident.isdecimal() and audiences.sees(session, person_id, int(ident))

    def signs(self, session, person_id, _ident):
        return [f"boards.board:{one}" for one in audiences.of_person(session, person_id)]


@pytest.fixture
def boards():
    return Boards()


@pytest.fixture
def rse_plugins(boards):
    return [boards]


@pytest.fixture
def space(core, make_space, make_person):
    """A private space with Anna in it; the id of its audience."""
    made = make_space("garden", visibility="secret", members=[make_person("anna")])
    with core.db.write() as session:
        return made, audiences.of_space(session, made.id)


@pytest.fixture
def anna(core, space):
    with core.db.read() as session:
        return session.scalar(select(Person).where(Person.username == "anna"))


class Heard:
    """What is said on this database, whichever it is."""

    def __init__(self, core):
        self.core, self.topics = core, []
        if core.db.is_sqlite:
            hub = core.live.serve_here(10)
            tell = hub.tell
            hub.tell = lambda said: (self.topics.extend(said), tell(said))
        else:
            core.live.notifies = True
            url = make_url(core.settings.database_url).set(drivername="postgresql")
            self.connection = psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)
            self.connection.execute(f"LISTEN {CHANNEL}")

    def __call__(self):
        if not self.core.db.is_sqlite:
            self.connection.execute("SELECT 1")
            for notice in self.connection.notifies(timeout=0.2):
                self.topics.extend(notice.payload.split("\n"))
        found, self.topics[:] = list(self.topics), []
        return found


@pytest.fixture
def heard(core):
    made = Heard(core)
    yield made
    if not core.db.is_sqlite:
        made.connection.close()


# -- saying ----------------------------------------------------------------------------------------------------------------


def test_what_is_said_leaves_with_the_commit_once_however_often_it_was_said(core, heard):
    with core.db.write() as session:
        say_changed(session, "boards.board:1", "boards.board:2")
        say_changed(session, "boards.board:1")
        assert heard() == []
    assert sorted(set(heard())) == ["boards.board:1", "boards.board:2"]


def test_a_transaction_that_is_undone_says_nothing(core, heard):
    with pytest.raises(RuntimeError), core.db.write() as session:
        say_changed(session, "boards.board:1")
        raise RuntimeError("no")
    assert heard() == []
    with core.db.write() as session:
        say_changed(session, "boards.board:2")
    assert heard() == ["boards.board:2"]


def test_a_savepoint_that_is_undone_says_nothing_and_the_rest_is_said(core, heard):
    with core.db.write() as session:
        say_changed(session, "boards.board:1")
        with session.begin_nested():
            say_changed(session, "boards.board:2")
        assert heard() == [], "a savepoint that is released is no commit"
        outer = session.begin_nested()
        with session.begin_nested():
            say_changed(session, "boards.board:3")
        outer.rollback()
    assert sorted(heard()) == ["boards.board:1", "boards.board:2"]


def test_where_live_is_off_saying_costs_no_statement_and_nothing_is_kept(core):
    with core.db.write() as session, count_queries(core) as count:
        say_changed(session, "boards.board:1")
        assert not [key for key in session.info if "live" in str(key)]
    assert len(count) == 0


def test_a_text_that_is_no_topic_is_an_error_of_the_plugin(core, heard):
    for text in ("", "boards", "boards.board", "boards.board:", "Boards.board:1", "boards.board:1\n2", "boards.board:é",
                 "boards.board:" + "1" * LONGEST):  # fmt: skip
        with pytest.raises(RseError, match="not a topic"), core.db.write() as session:
            say_changed(session, text)
    with pytest.raises(RseError, match="only reads"), core.db.read() as session:
        say_changed(session, "boards.board:1")
    assert heard() == []


def test_thousands_of_topics_of_one_transaction_all_arrive(core, heard):
    wanted = [f"boards.board:{number}{'x' * 60}" for number in range(2_000)]
    assert all(len(text) < 8_000 for text in payloads(wanted))
    with core.db.write() as session:
        say_changed(session, *wanted)
    assert sorted(heard()) == sorted(wanted)


def test_what_people_are_told_of_is_said_to_them_or_to_all(core, heard, make_person, space):
    people = [make_person(f"p{number}") for number in range(3)]
    ids = [person.id for person in people]
    note = ObjectRef("page", "/news/1")
    with core.db.write() as session:
        notify.notify_many(session, ids, "boards.moved", note, actor_id=None, cause="move:1")
    assert sorted(heard()) == sorted(f"core.notices:{one}" for one in ids)
    with core.db.write() as session:
        notify.mark_read(session, ids[0])
    assert heard() == [f"core.notices:{ids[0]}"]
    with core.db.write() as session:
        notify.withdraw(session, "move:1")
    assert sorted(heard()) == sorted(f"core.notices:{one}" for one in ids[1:])
    with core.db.write() as session:
        notify.broadcast(session, space[1], "boards.moved", note, actor_id=None, cause="all:1")
    assert heard() == [f"core.told:{space[1]}"]


# -- who may ---------------------------------------------------------------------------------------------------------------


def test_a_refused_topic_is_as_an_unknown_one(core, anna, space, make_person):
    ben = make_person("ben")
    asked = [f"boards.board:{space[1]}", "boards.board:999999", "boards.card:1", "likes.page:1", f"core.notices:{anna.id}",
             "boards.board:x", "core.session:1"]  # fmt: skip
    with core.db.read() as session:
        assert sorted(topics(core, session, anna.id, asked)) == sorted([asked[0], asked[4]])
        assert topics(core, session, ben.id, asked) == {}


def test_a_topic_stands_for_what_this_person_sees(core, anna, space):
    with core.db.read() as session:
        found = topics(core, session, anna.id, [f"boards.mine:{anna.id}", "boards.mine:12345"])
        mine = audiences.of_person(session, anna.id)
    assert found == {f"boards.mine:{anna.id}": frozenset(f"boards.board:{one}" for one in mine)}
    assert f"boards.board:{space[1]}" in found[f"boards.mine:{anna.id}"]


def test_the_bell_stands_for_ones_own_and_for_what_ones_audiences_are_told(core, anna, space):
    with core.db.read() as session:
        found = topics(core, session, anna.id, [f"core.notices:{anna.id}"])
    assert {f"core.notices:{anna.id}", f"core.told:{space[1]}"} <= found[f"core.notices:{anna.id}"]


def test_an_error_of_a_plugin_refuses_its_topics_and_no_others(rse_core, boards, make_person):
    core = rse_core([boards], strict=False)
    with core.db.write() as session:
        person = Person(external_id="x", username="x", display_name="X", folded_name="x", email="", status="active")
        session.add(person)
        session.flush()
        ident = person.id
    boards.broken = True
    with core.db.read() as session:
        assert list(topics(core, session, ident, ["boards.board:1", f"core.notices:{ident}"])) == [f"core.notices:{ident}"]


def test_a_plugin_that_is_switched_off_tells_nothing(core, anna, space):
    with core.db.write() as session:
        core.plugins.disable(session, "boards", Actor("cli"))
    with core.db.read() as session:
        assert topics(core, session, anna.id, [f"boards.board:{space[1]}"]) == {}


# -- the streams -----------------------------------------------------------------------------------------------------------


def events(text):
    """Name and data of each event of a stream."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and not line.startswith(":"))
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


class Reader:
    """Reads a stream in a thread, as a browser does."""

    def __init__(self, chunks):
        self.text, self.over = "", threading.Event()
        threading.Thread(target=self._read, args=(chunks,), daemon=True).start()

    def _read(self, chunks):
        for chunk in chunks:
            self.text += chunk.decode()
        self.over.set()

    @property
    def events(self):
        return events(self.text)

    def until(self, name, count=1, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = [data for kind, data in self.events if kind == name]
            if len(found) >= count:
                return found
            time.sleep(0.01)
        raise AssertionError(f"{name} did not come: {self.text}")


def opening(person=1, *names, text="", again=False):
    return Opening(person, text, {name: frozenset([name]) for name in names}, again)


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


# -- going round -----------------------------------------------------------------------------------------------------------


def listen(core, person, *names, text=""):
    hub = Hub(total=10, quiet=0)
    with core.db.read() as session:
        heard = topics(core, session, person.id, names)
    return hub, Rounds(core, hub), Reader(hub.open(Opening(person.id, text, heard)))


def go_round(rounds, seconds=6):
    """The rounds of some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rounds.go()
        time.sleep(0.2)
        yield


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


# -- over HTTP -------------------------------------------------------------------------------------------------------------


def ask(client, *names, **headers):
    return client.get("/rse/live", query_string={"topic": list(names)}, headers=headers)


@pytest.fixture
def served(core, rse_client, as_person, anna):
    """A client of a site that serves streams itself."""
    if not core.db.is_sqlite:
        pytest.skip("one process serves streams on SQLite alone")
    core.live.serve_here(10, quiet=0)
    return as_person(rse_client, anna)


def test_a_page_listens_over_http_and_hears_of_a_commit(core, served, anna, space):
    board = f"boards.board:{space[1]}"
    answer = ask(served, board, "boards.board:77", "x" * 4_000, "boards.board:a\x00b")
    assert answer.status_code == 200
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"
    reader = Reader(answer.response)
    assert reader.until("ready") == [{"topics": [board]}]
    with core.db.write() as session:
        say_changed(session, board, "boards.board:77")
    assert [data["topic"] for data in reader.until("changed")] == [board]
    text = served.get("/rse/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).text
    assert "rse_live_streams 1.0" in text
    answer.close()
    assert core.live.hub.streams == set()


def test_last_event_id_makes_the_page_look_again(served, anna):
    answer = ask(served, f"core.notices:{anna.id}", **{"Last-Event-ID": "anything\twhatever"})
    Reader(answer.response).until("again")
    answer.close()


def test_nothing_to_hear_is_not_found_and_too_much_is_refused(served, rse_client, as_person, anna, core):
    assert ask(served).status_code == 404
    assert ask(served, "boards.board:77").status_code == 404
    assert ask(served, *(f"boards.board:{number}" for number in range(MOST + 1))).status_code == 422
    assert ask(served, *(f"boards.board:{number}" for number in range(5_000))).status_code == 422
    assert ask(served, f"core.notices:{anna.id}", **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert served.head("/rse/live", query_string={"topic": f"core.notices:{anna.id}"}).status_code == 200
    assert core.live.hub.streams == set(), "whoever asks for the headers alone leaves nothing behind"
    core.live.hub.total = 0
    assert ask(served, f"core.notices:{anna.id}").status_code == 429
    assert ask(as_person(rse_client, None), f"core.notices:{anna.id}").status_code == 401


def test_a_main_server_serves_no_stream_and_its_pages_name_the_address_only_when_live_is_on(
    rse_core, core, rse_client, as_person, anna
):
    from rse_core.extension import create_app

    client = as_person(rse_client, anna)
    assert ask(client, f"core.notices:{anna.id}").status_code == 404
    assert "data-rse-live" not in client.get("/rse/me/").text
    if not core.db.is_sqlite:
        on = create_app(rse_core(database_url=core.settings.database_url, live=True)).test_client()
        assert 'data-rse-live="/rse/live"' in as_person(on, anna).get("/rse/me/").text
        assert ask(on, f"core.notices:{anna.id}").status_code == 404
    else:
        core.live.serve_here(3)
        assert 'data-rse-live="/rse/live"' in client.get("/rse/me/").text


def test_the_process_of_its_own_is_for_postgresql_and_the_server_of_one_process_for_sqlite(core, rse_core):
    if core.db.is_sqlite:
        assert not rse_core(live=True).live.on, "nobody could hear it"
    else:
        with pytest.raises(RseError, match="process of their own"):
            core.live.serve_here()


def test_the_doctor_names_what_is_missing(rse_core):
    from rse_core.health import examine as doctor

    assert "live" not in {line.name for line in doctor(rse_core())}
    (line,) = [line for line in doctor(rse_core(live=True)) if line.name == "live"]
    assert not line.result.ok
    assert line.result.remedy


def test_texts_that_are_topics():
    assert is_topic("kanban.board:7")
    assert is_topic("kanban.board:a/b?c")
    assert not is_topic("kanban.board:a b")
