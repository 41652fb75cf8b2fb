"""``python -m rse_sso`` helps before there is a secret, and while the adapter is quarantined."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rse_sso.keys import weakness


def run(folder: Path, *arguments: str, toml: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "rse.toml").write_text(toml, encoding="utf-8")
    (folder / "rse.toml").chmod(0o600)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RSE_")}
    return subprocess.run(
        [sys.executable, "-m", "rse_sso", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


def test_a_first_secret_can_be_made_while_the_settings_still_lack_one(tmp_path: Path) -> None:
    done = run(tmp_path, "secret", toml='[sso]\nsources = ["header"]\n')
    assert (done.returncode, weakness(done.stdout.strip())) == (0, None)


def test_a_mistake_is_told_in_one_sentence_with_exit_code_1(tmp_path: Path) -> None:
    done = run(tmp_path, "check", toml='[sso]\nsources = ["header"]\n')
    assert done.returncode == 1
    assert done.stderr == ("sso: The setting sso.header.secrets is empty. Make one with python -m rse_sso secret.\n")


def test_what_is_unwise_is_told_with_exit_code_0(tmp_path: Path) -> None:
    done = run(tmp_path, "check")
    assert done.returncode == 0
    assert "warning: sso.sources names no source: nobody can sign in." in done.stdout


def test_misuse_ends_with_exit_code_2(tmp_path: Path) -> None:
    assert run(tmp_path, "token").returncode == 2
