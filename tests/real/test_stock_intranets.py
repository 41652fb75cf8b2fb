"""The main job on real input: a stock WordPress and a stock SPIP behind nginx, brought up by their examples.

They run where the software is installed (as root: the examples start databases and PHP as other users), and
everywhere that ``RSE_TEST_REQUIRE`` names them; the packages come with the first run of each example.
"""

from __future__ import annotations

import base64
import html
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from rse_content.plugin import Content
from rse_core import legacy
from rse_core.models.content import Page

#: Bringing a Debian and its packages up may take minutes on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
ROOT = Path(__file__).parents[2]
REQUIRED = os.environ.get("RSE_TEST_REQUIRE", "").lower().split(",")
TAG = b"/rse/embed.js"


def installed(name: str) -> bool:
    if name == "spip" and Path("/var/tmp/rse-pilot-spip/trixie/.complete").exists():
        return True
    found = subprocess.run(["dpkg-query", "-W", "-f", "${Status}", name], capture_output=True, text=True)
    return "install ok installed" in found.stdout


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@dataclass
class Pilot:
    name: str
    front: str
    back: str
    article: str
    environ: dict[str, str]

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        script = ROOT / "examples" / self.name / "run.sh"
        return subprocess.run(
            [str(script), command], env=self.environ, capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL
        )

    def get(self, path: str, person: str | None, *, base: str | None = None, **headers: str) -> tuple[int, Any, bytes]:
        request = urllib.request.Request((base or self.front) + path)
        if person is not None:
            token = base64.b64encode(f"{person}:{person}".encode()).decode()
            request.add_header("Authorization", f"Basic {token}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def slots(self, person: str, address: str, **claim: str) -> dict[str, Any]:
        query = urlencode({"address": address, "slots": "reactions,comments", "lang": "fr", **claim})
        status, _headers, body = self.get(f"/rse/embed/slots?{query}", person)
        assert status == 200, body
        found: dict[str, Any] = json.loads(body)
        return found

    def page_key(self, address: str, **claim: str) -> str:
        return str(self.slots("claire", address, **claim)["page"])


def forget_site(site: Path) -> None:
    """Take away what SPIP's installer made, and leave what the package brought."""
    for name in ("config", "tmp", "local", "IMG"):
        for made in (site / name).iterdir():
            if made.name == "ecran_securite.php":
                continue
            if made.is_dir() and not made.is_symlink():
                shutil.rmtree(made)
            else:
                made.unlink()


def bring_up(name: str, folder: Path) -> Iterator[Pilot]:
    if name not in REQUIRED and not installed(name):
        pytest.skip(f"{name} is not installed; examples/{name}/run.sh brings it")
    if os.geteuid() != 0:
        pytest.skip(f"{name} is started by root only")
    front, back, service = free_ports(3)
    environ = {**os.environ, "STATE": str(folder), "FRONT": str(front), "BACK": str(back), "SERVICE": str(service)}
    environ.pop("RSE_CONFIG", None)
    rse = ROOT / ".venv/bin/rse"
    environ["RSE"] = str(rse if rse.exists() else shutil.which("rse"))
    kept = Path("/var/tmp/rse-pilot-spip/trixie")
    if name == "spip":
        # Making a Debian takes a minute; the data in it belongs to each run, so it is copied.
        if (kept / ".complete").exists():
            subprocess.run(["cp", "-a", "--reflink=auto", str(kept), str(folder / "trixie")], check=True)
            forget_site(folder / "trixie/var/lib/spip/sites/default")
        else:
            environ["ROOTFS"] = str(kept)
    pilot = Pilot(name, f"http://127.0.0.1:{front}", f"http://127.0.0.1:{back}", "", environ)
    try:
        started = pilot.run("start")
        assert started.returncode == 0, started.stdout + started.stderr
        pilot.article = (folder / "article").read_text().strip()
        yield pilot
    finally:
        pilot.run("purge")


@pytest.fixture(scope="module", params=["wordpress", "spip"])
def pilot(request: pytest.FixtureRequest) -> Iterator[Pilot]:
    folder = Path(f"/var/tmp/rse-test-{request.param}-{os.getpid()}")
    folder.mkdir(mode=0o755)
    try:
        yield from bring_up(request.param, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_each_level_sees_its_own_and_inform_sees_nothing(pilot: Pilot) -> None:
    seen = {
        person: {name for name, slot in pilot.slots(person, pilot.article)["slots"].items() if slot["html"].strip()}
        for person in ("claire", "remi", "irene")
    }
    assert seen == {"claire": {"reactions", "comments"}, "remi": {"reactions"}, "irene": set()}


@pytest.mark.parametrize("person", ["claire", "remi", "irene"])
def test_the_page_is_the_intranets_own_but_for_one_tag(pilot: Pilot, person: str) -> None:
    status, _headers, through = pilot.get(pilot.article, person)
    host = pilot.front.removeprefix("http://")
    direct = pilot.get(pilot.article, None, base=pilot.back, Host=host)[2]
    assert status == 200
    assert through.count(TAG) == 1
    begin = through.index(b'<script src="/rse/embed.js"')
    end = through.index(b"</script>", begin) + len(b"</script>")
    assert through[:begin] + through[end:] == direct
    assert through[begin:end].isascii()


def test_permalink_id_and_campaign_parameters_are_one_object(pilot: Pilot) -> None:
    joint = "&" if "?" in pilot.article else "?"
    keys = {
        pilot.page_key(pilot.article),
        pilot.page_key(f"{pilot.article}{joint}utm_source=mail&utm_campaign=x"),
        pilot.page_key(pilot.front + pilot.article),
        pilot.page_key(pilot.article + "#respond"),
    }
    assert len(keys) == 1


def test_what_the_intranet_publishes_has_the_key_of_the_page_that_people_visit(pilot: Pilot, rse_core: Any) -> None:
    token = base64.b64encode(b"claire:claire").decode()
    kind, path = {"wordpress": ("wordpress", "/"), "spip": ("rss", "/spip.php?page=backend")}[pilot.name]
    source = {"name": "news", "kind": kind, "url": pilot.front + path, "headers": {"Authorization": f"Basic {token}"}}
    core = rse_core(
        [Content()], sections={"content": {"sources": [{**source, "audience": "everyone", "first_days": 3650}]}},
        legacy_origins=(pilot.front,),
    )  # fmt: skip
    report = legacy.sync(core, legacy.source_named(core, "news"))
    assert report.error == ""
    key = pilot.page_key(pilot.article).removeprefix("page:")
    with core.db.read() as session:
        page = session.scalar(select(Page).where(Page.key == key))
        assert page is not None
        found = core.pages.content_type().resolve(session, [key])[key]
    # SPIP sets typographic apostrophes in its pages, and plain ones in its feed.
    body = html.unescape(pilot.get(pilot.article, "claire")[2].decode()).replace("’", "'")
    assert found.title
    assert found.title.replace("’", "'") in body
    again = legacy.sync(core, legacy.source_named(core, "news"))
    assert (again.error, again.counts.touched) == ("", 0)


def test_a_page_cached_before_the_installation_gets_its_tag(pilot: Pilot) -> None:
    status, headers, body = pilot.get(
        pilot.article, "claire", If_Modified_Since="Fri, 31 Dec 2100 23:59:59 GMT", If_None_Match='"x"',
        Accept_Encoding="gzip", Accept="text/html", User_Agent="Mozilla/5.0",
    )  # fmt: skip
    assert status == 200
    assert headers.get("Content-Encoding") is None
    assert TAG in body


def test_nobody_gets_in_and_nobody_becomes_another(pilot: Pilot) -> None:
    assert pilot.get(pilot.article, None)[0] == 401
    query = urlencode({"address": pilot.article, "slots": "comments"})
    _status, _headers, body = pilot.get(
        f"/rse/embed/slots?{query}", "irene", X_RSE_User="claire", X_RSE_Proxy_Secret="guess", X_Forwarded_For="10.0.0.1"
    )
    assert json.loads(body)["person"]["name"] == "Irène Gaël"


def test_a_comment_written_in_the_browser_stands_under_the_article(pilot: Pilot) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="chromium cannot be driven without playwright")
    chromium = os.environ.get("RSE_CHROMIUM", "/usr/bin/chromium")
    if not Path(chromium).exists():
        pytest.skip("chromium is not installed")
    joint = "&" if "?" in pilot.article else "?"
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )

        def tab(person: str) -> Any:
            context = browser.new_context(http_credentials={"username": person, "password": person}, locale="fr-FR")
            context.set_default_timeout(20_000)
            return context.new_page()

        claire = tab("claire")
        claire.goto(pilot.front + pilot.article)
        claire.locator("rse-slot[name=comments] textarea").first.fill("Très utile, merci à l’équipe.")
        claire.locator("rse-slot[name=comments] form[method=post] [type=submit]").first.click()
        claire.locator("rse-slot[name=comments]").get_by_text("Très utile, merci à l’équipe.").wait_for()
        remi = tab("remi")
        remi.goto(f"{pilot.front}{pilot.article}{joint}utm_source=lettre")
        remi.locator("rse-slot[name=reactions] button").first.click()
        remi.locator("rse-slot[name=reactions] button[aria-pressed=true]").first.wait_for()
        assert remi.locator("rse-slot[name=comments] textarea").count() == 0
        irene = tab("irene")
        irene.goto(pilot.front + pilot.article, wait_until="networkidle")
        assert irene.locator("rse-slot").count() == 0
        again = tab("claire")
        again.goto(pilot.front + pilot.article)
        again.locator("rse-slot[name=comments]").get_by_text("Très utile, merci à l’équipe.").wait_for()
        if pilot.name == "wordpress":
            number = again.locator("body").evaluate("e => /postid-(\\d+)/.exec(e.className)[1]")
            again.goto(f"{pilot.front}/?p={number}&utm_medium=x")
            again.locator("rse-slot[name=comments]").get_by_text("Très utile, merci à l’équipe.").wait_for()
        else:
            number = pilot.article.rsplit("article", 1)[1]
            again.goto(f"{pilot.front}/spip.php?page=article&id_article={number}")
            again.locator("rse-slot[name=comments]").get_by_text("Très utile, merci à l’équipe.").wait_for()
        browser.close()


def test_with_our_server_killed_the_intranet_keeps_answering(pilot: Pilot) -> None:
    stopped = pilot.run("stop-rse")
    assert stopped.returncode == 0, stopped.stderr
    try:
        for _visit in range(3):
            began = time.monotonic()
            status, _headers, body = pilot.get(pilot.article, "claire")
            assert (status, body.count(TAG)) == (200, 1)
            assert time.monotonic() - began < 20
        assert pilot.get("/rse/embed.js", "claire")[0] == 503
    finally:
        assert pilot.run("start-rse").returncode == 0


def test_the_self_test_finds_nothing_wrong(pilot: Pilot) -> None:
    token = base64.b64encode(b"irene:irene").decode()
    environ = {**pilot.environ, "RSE_CONFIG": str(Path(pilot.environ["STATE"]) / "rse.toml")}
    address, header = pilot.front + pilot.article, f"Authorization: Basic {token}"
    found = subprocess.run(
        [pilot.environ["RSE"], "host", "selftest", address, "--json", "--header", header],
        env=environ, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    report = json.loads(found.stdout)
    assert report["findings"] == []
    assert found.returncode == 0


def test_not_a_file_of_theirs_was_changed(pilot: Pilot) -> None:
    verified = pilot.run("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
