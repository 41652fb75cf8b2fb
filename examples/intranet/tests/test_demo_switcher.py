from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click
import pytest
from rse_example_intranet import demo_identity
from rse_example_intranet.app import create_intranet
from rse_example_intranet.demo_bar import STYLE, SWITCH, AccountBar, Standing, safe_path
from rse_example_intranet.demo_guard import DemoRefused, Permit, is_loopback
from rse_example_intranet.demo_identity import ACCOUNTS, COOKIE, DEFAULT, DemoIdentity
from werkzeug.test import Client
from werkzeug.wrappers import Response

LOCAL = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8000"}


def _standings() -> dict[str, Standing]:
    return {
        a.username: Standing(f"Name of {a.username}", "Entité", "réagir", "en" if a.username == "emma.nguyen" else "fr")
        for a in ACCOUNTS
    }


@pytest.fixture
def source(permit: Permit) -> DemoIdentity:
    return DemoIdentity(permit)


@pytest.fixture
def client(source: DemoIdentity) -> Client:
    return Client(AccountBar(create_intranet(), source, _standings), Response)


# where it may start


def test_there_is_no_permit_outside_the_demo_command(tmp_path: Path) -> None:
    with pytest.raises(DemoRefused, match="rse demo"):
        Permit("127.0.0.1", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("parent", [click.Group("rse"), None])
def test_a_command_that_is_only_called_demo_has_no_permit(tmp_path: Path, parent: click.Group | None) -> None:
    above = click.Context(parent) if parent else None
    with click.Context(click.Command("demo"), parent=above), pytest.raises(DemoRefused, match="rse demo"):
        Permit("127.0.0.1", tmp_path)


@pytest.mark.usefixtures("within")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "intranet.example", "", "127.0.0.1.example"])
def test_there_is_no_permit_on_an_address_that_others_reach(tmp_path: Path, host: str) -> None:
    with pytest.raises(DemoRefused, match="boucle locale"):
        Permit(host, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("within")
def test_there_is_no_permit_over_a_database_that_the_demo_did_not_make(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "demo.db")) as other, other:
        other.execute("CREATE TABLE rse_core_person (id INTEGER)")
    before = (tmp_path / "demo.db").read_bytes()
    with pytest.raises(DemoRefused, match=r"demo\.db"):
        Permit("127.0.0.1", tmp_path)
    assert (tmp_path / "demo.db").read_bytes() == before


@pytest.mark.usefixtures("within")
def test_there_is_no_permit_over_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "demo.db").write_bytes(b"anything but a database, long enough to be looked at" * 40)
    with pytest.raises(DemoRefused, match=r"demo\.db"):
        Permit("127.0.0.1", tmp_path)


@pytest.mark.usefixtures("within")
def test_the_demo_finds_its_own_database_again(tmp_path: Path) -> None:
    with Permit("127.0.0.1", tmp_path) as first:
        assert not first.seeded
        first.note_seeded()
    with Permit("localhost", tmp_path) as second:
        assert second.key == first.key
        assert second.seeded


@pytest.mark.usefixtures("within")
def test_a_demo_whose_first_start_was_interrupted_is_begun_again(tmp_path: Path) -> None:
    with Permit("127.0.0.1", tmp_path) as first, closing(sqlite3.connect(first.database)) as half, half:
        half.execute("CREATE TABLE half (id INTEGER)")
    with Permit("127.0.0.1", tmp_path) as second, closing(sqlite3.connect(second.database)) as again:
        assert second.key != first.key
        assert [row[0] for row in again.execute("SELECT name FROM sqlite_master")] == ["rse_demo_marker"]


@pytest.mark.usefixtures("within")
def test_two_demos_do_not_share_a_folder_nor_a_key(tmp_path: Path) -> None:
    with Permit("127.0.0.1", tmp_path / "a") as first:
        with pytest.raises(DemoRefused, match="tourne déjà"):
            Permit("127.0.0.1", tmp_path / "a")
        with Permit("::1", tmp_path / "b") as other:
            assert first.key != other.key
            assert first.session_key not in (first.key.hex(), other.session_key)


def test_no_installed_plugin_brings_the_switcher() -> None:
    modules = {point.value.partition(":")[0] for point in entry_points(group="rse.plugins")}
    assert not any(module.startswith("rse_example_intranet") for module in modules)


def test_the_identity_source_cannot_be_made_without_a_permit() -> None:
    with pytest.raises(TypeError, match="Permit"):
        DemoIdentity(object())  # type: ignore[arg-type]


def test_loopback_is_told_by_address_and_never_by_the_look_of_a_name() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost")))
    assert not any(map(is_loopback, ("10.0.0.1", "localhost.example", "0.0.0.0", "", "::ffff:10.0.0.1")))


# who asks


def test_a_cookie_names_its_account_and_no_cookie_the_first(source: DemoIdentity) -> None:
    cookie = f"{COOKIE}={source.cookie_value('awa.diallo')}"
    assert source.username({**LOCAL, "HTTP_COOKIE": cookie}) == "awa.diallo"
    assert source.username(LOCAL) == DEFAULT
    found = source.identify({**LOCAL, "HTTP_COOKIE": cookie})
    assert found is not None
    assert (found.issuer, found.subject, found.username) == ("demo", "awa.diallo", "awa.diallo")


@pytest.mark.parametrize(
    "forged",
    [
        "solene.kerbrat",
        "solene.kerbrat:",
        "solene.kerbrat:00",
        ":",
        "é:é",
        "solene.kerbrat:" + "0" * 64,
        "a" * 9000,
    ],
)
def test_a_forged_cookie_gives_no_account(source: DemoIdentity, forged: str) -> None:
    assert source.username({**LOCAL, "HTTP_COOKIE": f"{COOKIE}={forged}"}) == DEFAULT


def test_a_signature_serves_one_account_only(source: DemoIdentity) -> None:
    signature = source.cookie_value("awa.diallo").partition(":")[2]
    assert source.username({**LOCAL, "HTTP_COOKIE": f"{COOKIE}=solene.kerbrat:{signature}"}) == DEFAULT


def test_only_the_ten_accounts_can_be_chosen(source: DemoIdentity) -> None:
    assert len(ACCOUNTS) == len(demo_identity.KNOWN) == 10
    with pytest.raises(KeyError):
        source.cookie_value("pierre.durand")


@pytest.mark.parametrize(
    "outside",
    [
        {"REMOTE_ADDR": "10.1.2.3"},
        {"HTTP_HOST": "demo.example:8000"},
        {"HTTP_HOST": ""},
        {"HTTP_X_FORWARDED_FOR": "10.1.2.3"},
        {"HTTP_FORWARDED": "for=10.1.2.3"},
        {"REMOTE_ADDR": ""},
    ],
)
def test_nobody_outside_this_machine_is_anybody(source: DemoIdentity, client: Client, outside: dict[str, str]) -> None:
    cookie = f"{COOKIE}={source.cookie_value('solene.kerbrat')}"
    assert source.identify({**LOCAL, "HTTP_COOKIE": cookie, **outside}) is None
    answer = client.get("/", environ_overrides={**LOCAL, **outside})
    assert answer.status_code == 403
    assert "rse-demo-bar" not in answer.text


# the bar


def _get(client: Client, path: str, **environ: Any) -> Response:
    return client.get(path, environ_overrides={**LOCAL, **environ})


def _choose(client: Client, account: str, return_to: str = "/", **environ: Any) -> Response:
    form = {"account": account, "return_to": return_to}
    return client.post(SWITCH, data=form, environ_overrides={**LOCAL, **environ})


def test_every_page_has_one_bar_with_the_ten_accounts(client: Client) -> None:
    for path in ("/", "/actualites/2026/semaine-du-don", "/divers/plan-acces.html", "/nulle-part"):
        text = _get(client, path).text
        assert text.count('class="rse-demo-bar"') == 1, path
        assert text.count('name="account"') == 10, path
        assert text.count('aria-current="true">\n<strong>') == 1, path


def test_the_bar_is_the_end_of_the_body_and_the_rest_is_untouched(client: Client) -> None:
    plain = create_intranet().test_client().get("/rh/conges", base_url="http://127.0.0.1:8000").text
    text = _get(client, "/rh/conges").text
    bar = text[
        text.index('<link rel="stylesheet" href="/demo/bar.css">') : text.index("</aside>", text.index("rse-demo-bar")) + 8
    ]
    assert text.replace(bar, "").replace("\n", "") == plain.replace("\n", "")
    assert text.rstrip().endswith("</html>")


def test_an_old_page_keeps_its_bytes_and_its_charset(client: Client) -> None:
    plain = create_intranet().test_client().get("/archives/2003/passage-a-l-euro.html").data
    answer = _get(client, "/archives/2003/passage-a-l-euro.html")
    before, _, after = plain.partition(b"</BODY>")
    assert answer.data.startswith(before)
    assert answer.data.endswith(b"</BODY>" + after)
    assert answer.data[len(before) : -len(after)].isascii()
    assert answer.content_type == "text/html; charset=ISO-8859-15"


def test_choosing_an_account_comes_back_to_the_page_as_somebody_else(client: Client) -> None:
    answer = _choose(client, "awa.diallo", "/rh/conges?a=b")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/rh/conges?a=b")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]
    assert "vous êtes Name of awa.diallo" in _get(client, "/rh/conges").text.replace("&#234;", "ê")


def test_the_bar_speaks_the_language_of_the_account(client: Client) -> None:
    assert "Changer de personne" in _get(client, "/").text
    _choose(client, "emma.nguyen")
    assert "Change person" in _get(client, "/").text


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\r\nX: y"],
)
def test_the_switch_never_leads_to_another_site(client: Client, elsewhere: str) -> None:
    assert safe_path(elsewhere) == "/"
    assert _choose(client, "awa.diallo", elsewhere).headers["Location"] == "/"


@pytest.mark.parametrize(
    "header",
    [{"HTTP_SEC_FETCH_SITE": "cross-site"}, {"HTTP_ORIGIN": "https://evil.example"}, {"HTTP_ORIGIN": "null"}],
)
def test_another_site_cannot_switch_the_account(client: Client, header: dict[str, str]) -> None:
    answer = _choose(client, "solene.kerbrat", **header)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_the_switch_refuses_what_is_no_choice(client: Client) -> None:
    assert _choose(client, "pierre.durand").status_code == 400
    assert client.post(SWITCH, environ_overrides=LOCAL).status_code == 400
    assert _get(client, SWITCH).status_code == 405


def test_a_page_that_the_browser_kept_is_not_shown_with_the_former_bar(client: Client) -> None:
    plain = create_intranet().test_client().get("/rh/conges").headers["ETag"]
    answer = _get(client, "/rh/conges", HTTP_IF_NONE_MATCH=plain, HTTP_ACCEPT="text/html")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


def test_what_is_no_page_passes_through_untouched(client: Client) -> None:
    style = _get(client, "/assets/intranet.css")
    assert "rse-demo-bar" not in style.text
    style.close()
    assert _get(client, STYLE).mimetype == "text/css"


def test_a_fragment_of_rse_gets_no_bar(source: DemoIdentity) -> None:
    def fragment(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [b"<p>one</p>"]

    client = Client(AccountBar(fragment, source, _standings), Response)
    assert _get(client, "/rse/embed/fragment/reactions").data == b"<p>one</p>"
    assert b"rse-demo-bar" in _get(client, "/elsewhere").data


def test_the_wrapped_application_is_closed(source: DemoIdentity) -> None:
    closed: list[bool] = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            yield b"<body></body>"

        def close(self) -> None:
            closed.append(True)

    def app(environ: dict[str, Any], start_response: Any) -> Body:
        start_response("200 OK", [("Content-Type", "text/html")])
        return Body()

    _get(Client(AccountBar(app, source, _standings), Response), "/")
    assert closed == [True]
