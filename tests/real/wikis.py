"""A stock MediaWiki (SQLite) and a stock DokuWiki, as Debian packages them, served by PHP on loopback from copies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

MEDIAWIKI, DOKUWIKI = Path("/usr/share/mediawiki"), Path("/usr/share/dokuwiki")
PAGES = {"Congés annuels": "Les règles de l’été.", "Télétravail": "Deux jours par semaine.", "Restauration": "Le menu."}


@dataclass
class MediaWiki:
    """One in ``folder``; ``port`` is where it answers."""

    folder: Path
    port: int

    name = "mediawiki"
    package = MEDIAWIKI

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def source(self) -> dict[str, str]:
        return {"kind": "mediawiki", "url": f"{self.origin}/api.php"}

    def address(self, title: str) -> str:
        return f"/index.php/{title.replace(' ', '_')}"

    def prepare(self) -> None:
        site = self.folder / "www"
        shutil.copytree(MEDIAWIKI, site, symlinks=True)
        (site / "LocalSettings.php").unlink(missing_ok=True)
        (self.folder / "data").mkdir()
        php(
            str(site / "maintenance/install.php"), "--confpath", str(site), "--dbtype", "sqlite", "--dbname", "mw",
            "--dbpath", str(self.folder / "data"), "--server", self.origin, "--scriptpath", "", "--lang", "fr",
            "--pass", "Xk3-marguerite-92", "Wiki des procédures", "Admin", MW_CONFIG_FILE="/nonexistent",
        )  # fmt: skip
        for title, text in PAGES.items():
            self.write(title, text)

    def write(self, title: str, text: str) -> None:
        self._maintain("edit.php", title, typed=text)

    def delete(self, title: str) -> None:
        self._maintain("deleteBatch.php", typed=title + "\n")

    def rename(self, title: str, other: str) -> None:
        self._maintain("moveBatch.php", typed=f"{title}|{other}\n")

    def native(self, title: str) -> str:
        """The id by which the page names itself to a script."""
        html = fetch(f"{self.origin}{quoted(self.address(title))}")
        number = html.split('"wgArticleId":', 1)[1].split(",", 1)[0]
        return f"mediawiki:{int(number)}"

    def _maintain(self, script: str, *arguments: str, typed: str) -> None:
        site = self.folder / "www"
        php(str(site / "maintenance" / script), "--conf", str(site / "LocalSettings.php"), *arguments, typed=typed)

    def command(self) -> list[str]:
        return ["php", "-d", "display_errors=0", "-S", f"127.0.0.1:{self.port}", "-t", str(self.folder / "www")]


@dataclass
class DokuWiki:
    """One in ``folder``; ``port`` is where it answers."""

    folder: Path
    port: int

    name = "dokuwiki"
    package = DOKUWIKI

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def source(self) -> dict[str, str]:
        return {"kind": "dokuwiki", "url": f"{self.origin}/"}

    def address(self, title: str) -> str:
        return f"/doku.php?id={self._id(title)}"

    def prepare(self) -> None:
        conf, data = self.folder / "conf", self.folder / "data"
        shutil.copytree("/etc/dokuwiki", conf, symlinks=False)
        shutil.copytree("/var/lib/dokuwiki/data", data)
        (conf / "local.php").write_text(
            "<?php\n$conf['title']='Wiki des procédures'; $conf['lang']='fr'; $conf['license']='0'; $conf['useacl']=0;\n"
            f"$conf['savedir']='{data}'; $conf['updatecheck']=0; $conf['userewrite']=0;\n"
            # It keeps a list for five minutes else, whatever was written meanwhile.
            "$conf['rss_update']=-1;\n"
        )
        (self.folder / "pre.php").write_text(
            f"<?php define('DOKU_CONF','{conf}/'); define('DOKU_LOCAL','{conf}/');\n"
        )
        for title, text in PAGES.items():
            self.write(title, text)

    def write(self, title: str, text: str) -> None:
        self._commit(title, f"====== {title} ======\n\n{text}\n")

    def delete(self, title: str) -> None:
        # An empty page is how DokuWiki deletes.
        self._commit(title, "")

    def _commit(self, title: str, text: str) -> None:
        (self.folder / "typed").write_text(text)
        php(
            "-d", f"auto_prepend_file={self.folder}/pre.php", str(DOKUWIKI / "bin/dwpage.php"), "commit", "--message",
            "Test", str(self.folder / "typed"), self._id(title),
        )  # fmt: skip

    def native(self, title: str) -> str:
        """The id by which the page names itself to a script."""
        html = fetch(f"{self.origin}{self.address(title)}")
        return "dokuwiki:" + html.split('JSINFO = {"id":"', 1)[1].split('"', 1)[0].replace("\\/", "/")

    @staticmethod
    def _id(title: str) -> str:
        plain = title.lower().replace("é", "e").replace(" ", "_")
        assert plain.isascii()
        return plain

    def command(self) -> list[str]:
        prepended = f"auto_prepend_file={self.folder}/pre.php"
        return ["php", "-d", prepended, "-S", f"127.0.0.1:{self.port}", "-t", str(DOKUWIKI)]


Wiki = MediaWiki | DokuWiki


def serve(wiki: Wiki) -> subprocess.Popen[bytes]:
    """Start it and wait until it answers."""
    with (wiki.folder / "log").open("wb") as log:
        server = subprocess.Popen(wiki.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    for _wait in range(300):
        try:
            fetch(wiki.origin + quoted(wiki.address("Restauration")))
        except OSError:
            time.sleep(0.1)
        else:
            return server
    end(server)
    raise AssertionError((wiki.folder / "log").read_text()[-2000:])


def end(server: subprocess.Popen[bytes]) -> None:
    """Stop it with its workers."""
    os.killpg(server.pid, signal.SIGTERM)
    server.wait(20)


def fetch(address: str) -> str:
    """The text of a page.

    :raises OSError: when it does not answer, or with an error.
    """
    with urllib.request.urlopen(address, timeout=60) as answer:
        return str(answer.read().decode())


def quoted(address: str) -> str:
    return urllib.parse.quote(address, safe="/?=&:")


def php(*arguments: str, typed: str = "", **environ: str) -> None:
    done = subprocess.run(
        ["php", *arguments], input=typed, env={**os.environ, **environ}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
