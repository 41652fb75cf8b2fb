"""The checks of the tree find what they are there to find."""

from __future__ import annotations

import configparser
import importlib
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog

ROOT = Path(__file__).resolve().parents[2]


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A script of ``tools/`` as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module(name)


@pytest.mark.parametrize(
    "line",
    [
        "see /" + "work/main/setup.cfg",
        'path = "/' + 'root/x"',
        "https://registry.npm" + "js.org/htmx.org",
        "https://py" + "pi.org/simple",
        "../sh" + "ared/DESIGN",
        "# TO" + "DO: later",
        "as issue" + " 12 asks",
    ],
)
def test_a_forbidden_word_is_found(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = load("check_words", monkeypatch)
    assert any(pattern.search(line) for pattern in words.PATTERNS.values())


@pytest.mark.parametrize(
    "line", ["the issuer 12", "/rse/network/x", "https://intranet.example/workshop", "a database session"]
)
def test_an_ordinary_word_passes(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = load("check_words", monkeypatch)
    assert not any(pattern.search(line) for pattern in words.PATTERNS.values())


@pytest.mark.parametrize(
    ("english", "french", "complaint"),
    [
        ("Comment", "", "no French text"),
        ("Why?", "Pourquoi ?", "no-break space"),
        ("Why?", "Pourquoi?", "no-break space"),
        ("Done; next", "Fait; ensuite", "no-break space"),
        ("Name:", "Nom:", "no-break space"),
        ("Thanks", "Merci\u202f!", "exclamation mark"),
        ("%(num)s people", "Des personnes %(nom)s", "placeholder"),
        ("Name:", "Nom\u00a0:", None),
        ("Why?", "Pourquoi\u202f?", None),
        ("see https://intranet.example/?a=b", "voir https://intranet.example/?a=b", None),
    ],
)
def test_french_texts_are_checked(
    english: str, french: str, complaint: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    i18n = load("i18n", monkeypatch)
    catalog = Catalog(locale="fr")
    message = catalog.add(english, french, flags=["python-format"] if "%(" in english else [])
    found = i18n.complaints(message, catalog)
    assert (not found) if complaint is None else any(complaint in text for text in found), found


def test_a_changed_vendored_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vendor = load("vendor", monkeypatch)
    folder = tmp_path / "vendor"
    shutil.copytree(vendor.SERVED, folder)
    monkeypatch.setattr(vendor, "ROOT", tmp_path)
    monkeypatch.setattr(vendor, "COPIES", {folder: vendor.COPIES[vendor.SERVED]})
    assert vendor.differences(manifest_only=True) == []
    (folder / "htmx.min.js").write_bytes(b"alert(1)")
    (folder / "more.js").write_bytes(b"")
    (folder / "icons.svg").unlink()
    assert vendor.differences(manifest_only=True) == [
        "vendor/icons.svg is missing",
        "vendor/more.js comes from no package",
        "vendor/htmx.min.js differs from its package",
    ]


def test_the_extra_all_names_every_plugin_and_adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    dists = load("dists", monkeypatch)
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    named = re.findall(r"^rse-[a-z-]+", config["options.extras_require"]["all"], re.MULTILINE)
    built_in = [dist.name for dist in dists.distributions() if not dist.is_core and not dist.is_example]
    assert sorted(named) == sorted(built_in)


def test_each_distribution_says_which_core_it_works_with(monkeypatch: pytest.MonkeyPatch) -> None:
    dists = load("dists", monkeypatch)
    for dist in dists.distributions()[1:]:
        if dist.is_example:
            continue
        config = configparser.ConfigParser()
        config.read(dist.folder / "setup.cfg", encoding="utf-8")
        assert "rse-core>=0.1,<0.2" in config["options"]["install_requires"].split(), dist.name
        assert config["options.entry_points"]["rse.plugins"].split()[-1] == f"{dist.package}:plugin"
        assert (dist.source / "py.typed").is_file()


def test_locks_hold_versions_and_hashes_but_no_address() -> None:
    for name in ("run.lock", "dev.lock", "canaille.lock"):
        lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
        pinned = [line for line in lines if re.match(r"[a-z0-9]", line)]
        assert len(pinned) > 20
        assert all("==" in line and line.endswith("\\") for line in pinned)
        assert not [line for line in lines if "://" in line or line.lstrip().startswith("--index")]
