"""What everybody is shown is what the slow model says, for a random organisation, before and after random changes.

``RSE_VISIBILITY_SEEDS=3-40`` takes other organisations, ``RSE_VISIBILITY_PEOPLE=26`` looks as everybody.
"""

from __future__ import annotations

import os

import pytest
from visibility_changing import change
from visibility_comparing import compare
from visibility_organisation import Site

from rse_core.extension import create_app


def seeds() -> list[int]:
    """A few organisations, or those that were asked for."""
    first, _dash, last = os.environ.get("RSE_VISIBILITY_SEEDS", "1-2").partition("-")
    return list(range(int(first), int(last or first) + 1))


PEOPLE = int(os.environ.get("RSE_VISIBILITY_PEOPLE", "4"))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", seeds())
def test_everybody_is_shown_what_the_rules_say(core, seed):
    site = Site(core, seed)
    site.build()
    client = create_app(core).test_client()
    found = compare(site, client, site.rng.sample(list(site.person), PEOPLE))
    assert found == [], "\n".join(line[:600] for line in found[:40])
    change(site)
    found = compare(site, client, site.rng.sample(list(site.person), PEOPLE))
    assert found == [], "after the changes:\n" + "\n".join(line[:600] for line in found[:40])
