"""A build machine that lost what a test needs must not look green."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEST = """
import pytest

def test_one():
    pytest.skip("PostgreSQL does not answer (postgres)")
"""


@pytest.mark.parametrize(
    ("required", "code", "words"),
    [
        ("", 0, "1 skipped"),
        ("nginx", 0, "1 skipped"),
        ("nginx, postgres", 1, "RSE_TEST_REQUIRE names postgres"),
    ],
)
def test_a_skip_fails_when_its_cause_is_required(
    required: str, code: int, words: str, tmp_path: Path
) -> None:
    shutil.copy(ROOT / "conftest.py", tmp_path)
    shutil.copy(ROOT / "pytest.ini", tmp_path)
    (tmp_path / "test_one.py").write_text(TEST, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:rse", "test_one.py"],
        cwd=tmp_path,
        env={**os.environ, "RSE_TEST_REQUIRE": required},
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout
    assert words in done.stdout
