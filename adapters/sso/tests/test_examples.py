"""The programs that we show to intranets make tokens that RSE accepts, with names that keep their accents."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rse_sso.keys import new_secret
from rse_sso.reasons import SsoRefused
from rse_sso.token import TokenRules, verify

EXAMPLES = Path(__file__).parent.parent / "examples"
SECRET = new_secret()
RULES = TokenRules(keys={"2026-11": SECRET}, issuer="https://intranet.test", audience="rse")
NAME = 'Hélène "Lili" Dupont\\Cœur, CPAM du Finistère 🙂'

PROGRAMS = {
    "python": [sys.executable, "python/handoff.py"],
    "java": ["java", "java/Handoff.java"],
    "php": ["php", "php/handoff.php"],
}


def run(language: str, *arguments: str) -> str:
    command, program = PROGRAMS[language]
    if shutil.which(command) is None:
        pytest.skip(f"{command} is not installed here, so its example was not run")
    if not EXAMPLES.is_dir():
        pytest.skip("the examples are not part of the wheel")
    done = subprocess.run(
        [command, str(EXAMPLES / program), *arguments],
        env={
            **os.environ,
            "RSE_HANDOFF_SECRET": SECRET,
            "LC_ALL": "C.UTF-8",
            "JAVA_TOOL_OPTIONS": "-Xshare:auto",
        },
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_example_makes_a_token_that_verifies(language: str) -> None:
    token = run(language, RULES.issuer, "rse", "2026-11", "u1042", NAME, "/actualites/42?a=1&b=é")
    claims = verify(token, RULES, now=time.time())
    assert (claims.subject, claims.name, claims.return_to) == ("u1042", NAME, "/actualites/42?a=1&b=é")
    assert claims.expires_at - claims.issued_at == 60


@pytest.mark.parametrize("language", PROGRAMS)
def test_two_tokens_of_the_example_have_different_nonces(language: str) -> None:
    arguments = (RULES.issuer, "rse", "2026-11", "u1042")
    nonces = {verify(run(language, *arguments), RULES, now=time.time()).jti for _ in range(2)}
    assert len(nonces) == 2


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_token_of_the_example_does_not_verify_with_another_secret(language: str) -> None:
    token = run(language, RULES.issuer, "rse", "2026-11", "u1042")
    other = TokenRules(keys={"2026-11": new_secret()}, issuer=RULES.issuer, audience="rse")
    with pytest.raises(SsoRefused):
        verify(token, other, now=time.time())
