"""Streams over HTTP, within one process and where they are refused."""

from __future__ import annotations

import pytest
from live_reading import Reader

from rse_core.api import RseError, say_changed
from rse_core.live.allowed import MOST


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
