"""``SessionNotOnOrAfter``: the provider says when a session is over, and it is over here no later."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from saml2 import saml
from saml_on_loopback import Provider, stamp
from saml_walk import NO_DATA, OLD, Site, at, code, refused, sign_in, who
from sqlalchemy import select

from rse_core.api import Core, utcnow
from rse_core.models.runtime import SignedSession

END = "assertion.authn_statement"


def ends(core: Core) -> list[dt.timedelta]:
    """How long the sessions that stand may still last."""
    with core.db.read() as session:
        found = session.scalars(select(SignedSession.expires_at).order_by(SignedSession.id))
        return [when - utcnow() for when in found]


def test_a_session_is_over_when_the_provider_says_however_much_it_is_used(site: Site, provider: Provider) -> None:
    core, client = site()
    sign_in(client, provider, change=at(END, "session_not_on_or_after", stamp(3600)))
    unlimited = client.application.test_client()
    sign_in(unlimited, provider, index="phone")
    assert ends(core)[0] <= dt.timedelta(hours=1) < ends(core)[1]
    for minutes in (11, 30, 59):
        # Each use is noted, and would make another session last longer.
        with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)):
            assert who(client) == "hdupont"
            assert ends(core)[0] <= dt.timedelta(minutes=60 - minutes)
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=61)):
        assert who(client) == "nobody"
        assert who(unlimited) == "hdupont"
    # A cookie that was kept from before does not open it again.
    assert who(client) == "nobody"


@NO_DATA
def test_a_session_ends_no_later_than_ours_would(site: Site, provider: Provider) -> None:
    core, client = site()
    sign_in(client, provider, change=at(END, "session_not_on_or_after", stamp(400 * 86_400)))
    assert ends(core)[0] <= dt.timedelta(hours=core.settings.session_hours)


@NO_DATA
def test_the_first_end_of_several_counts(site: Site, provider: Provider) -> None:
    def two(response: object) -> None:
        statements = response.assertion.authn_statement  # type: ignore[attr-defined]
        statements[0].session_not_on_or_after = stamp(7200)
        second = saml.authn_statement_from_string(str(statements[0]))
        second.session_not_on_or_after = stamp(600)
        statements.append(second)

    core, client = site()
    sign_in(client, provider, change=two)
    assert ends(core)[0] <= dt.timedelta(minutes=10)


@NO_DATA
@pytest.mark.parametrize("value", ["yesterday", "2031-01-01", "9999999-01-01T00:00:00Z"])
def test_an_end_that_is_no_moment_is_refused(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture, value: str
) -> None:
    _, client = site()
    refused(client, sign_in(client, provider, change=at(END, "session_not_on_or_after", value)), "could not be verified")
    assert code(caplog) == "saml_malformed"


@NO_DATA
def test_a_session_that_is_over_by_our_clock_does_not_begin_for_the_difference_of_two(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    _, client = site(clock_skew=60)
    refused(client, sign_in(client, provider, change=at(END, "session_not_on_or_after", stamp(-5))), OLD)
    assert code(caplog) == "saml_expired"


@NO_DATA
def test_the_next_sign_in_of_the_same_browser_has_an_end_of_its_own(site: Site, provider: Provider) -> None:
    core, client = site()
    sign_in(client, provider, change=at(END, "session_not_on_or_after", stamp(600)))
    sign_in(client, provider, index="index-2")
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=20)):
        assert who(client) == "hdupont"
        assert ends(core)[1] > dt.timedelta(hours=1)
