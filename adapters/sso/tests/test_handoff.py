"""The hand-off accepts each good token once, and says in the log why it refuses the others."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from rse_core.db import Database
from rse_core.testing import Databases
from rse_sso.handoff import Handoff, ambient_token
from rse_sso.keys import new_secret
from rse_sso.models import Nonce
from rse_sso.nonces import DatabaseNonces, digest, prune
from rse_sso.reasons import Reason, SsoRefused
from rse_sso.token import TokenRules, encode, make_claims

NOW = 1_790_000_000
KEY = new_secret()
RULES = TokenRules(keys={"k1": KEY}, issuer="https://intranet.test", audience="rse")


@pytest.fixture
def database(rse_database: Databases) -> Iterator[Database]:
    """A database with the adapter's table alone, on each engine."""
    url = rse_database.empty()
    made = Database(url)
    Nonce.__table__.create(made.engine)
    yield made
    made.dispose()
    rse_database.drop(url)


def token(**changes: object) -> str:
    return encode(make_claims(RULES, "u1042", now=NOW) | changes, KEY)


def test_a_token_serves_once(database: Database) -> None:
    handoff = Handoff(RULES, DatabaseNonces(database.write), clock=lambda: NOW)
    one = token()
    assert handoff.accept(one).subject == "u1042"
    with pytest.raises(SsoRefused) as caught:
        handoff.accept(one)
    assert caught.value.reason is Reason.TOKEN_REPLAYED
    assert handoff.accept(token()).subject == "u1042"


def test_of_many_simultaneous_uses_of_one_token_exactly_one_succeeds(database: Database) -> None:
    handoff = Handoff(RULES, DatabaseNonces(database.write), clock=lambda: NOW)
    one = token()

    def use(_: int) -> str:
        try:
            return handoff.accept(one).subject
        except SsoRefused as refused:
            return refused.reason.value

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(use, range(24)))
    assert sorted(answers) == ["token_replayed"] * 23 + ["u1042"]


def test_a_refused_token_is_not_recorded(database: Database) -> None:
    handoff = Handoff(RULES, DatabaseNonces(database.write), clock=lambda: NOW)
    with pytest.raises(SsoRefused):
        handoff.accept(token(aud="payroll"))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Nonce)) == 0


def test_nonces_are_forgotten_only_when_their_tokens_are_long_dead(database: Database) -> None:
    now = dt.datetime.now(dt.UTC)
    store = DatabaseNonces(database.write)
    for jti, age in (("a" * 16, 7200), ("b" * 16, 60), ("c" * 16, -60)):
        assert store.consume("i", jti, expires_at=now.timestamp() - age, now=now.timestamp())
    with database.write() as session:
        assert prune(session) == 1
    with database.read() as session:
        kept = set(session.scalars(select(Nonce.digest)))
    assert kept == {digest("i", "b" * 16), digest("i", "c" * 16)}


def test_two_issuers_may_choose_the_same_nonce() -> None:
    assert digest("a", "bc") != digest("ab", "c")


class _Broken:
    def consume(self, issuer: str, jti: str, *, expires_at: float, now: float) -> bool:
        raise RuntimeError("the disk is full")


def test_without_a_record_of_its_use_no_token_is_accepted(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SsoRefused) as caught:
        Handoff(RULES, _Broken(), clock=lambda: NOW).accept(token())
    assert caught.value.reason is Reason.NONCE_STORE
    assert "the disk is full" in caplog.text


def test_the_log_names_reason_peer_and_remedy_and_never_the_token(caplog: pytest.LogCaptureFixture) -> None:
    old = token(iat=NOW - 300, exp=NOW - 240)
    with caplog.at_level(logging.WARNING, "rse_sso"), pytest.raises(SsoRefused):
        Handoff(RULES, _Broken(), clock=lambda: NOW).accept(old, peer="10.4.0.7")
    (record,) = caplog.records
    line = record.getMessage()
    assert "reason=token_expired peer=10.4.0.7" in line
    assert Reason.TOKEN_EXPIRED.remedy in line
    assert not any(part in line for part in old.split("."))
    assert KEY not in line


def test_a_token_is_found_in_the_header_or_the_cookie_only_when_so_configured() -> None:
    environ = {"HTTP_X_RSE_HANDOFF": "t.o.k", "HTTP_COOKIE": "a=1; rse_handoff=c.o.o; b=2"}
    assert ambient_token(environ, header=False, cookie=False) is None
    assert ambient_token(environ, header=True, cookie=True) == ("t.o.k", "header")
    assert ambient_token(environ, header=False, cookie=True) == ("c.o.o", "cookie")
    assert ambient_token({"HTTP_COOKIE": "a=1"}, header=True, cookie=True) is None


def test_a_header_that_came_twice_is_refused() -> None:
    with pytest.raises(SsoRefused) as caught:
        ambient_token({"HTTP_X_RSE_HANDOFF": "a.b.c,d.e.f"}, header=True, cookie=False)
    assert caught.value.reason is Reason.TOKEN_AMBIGUOUS
