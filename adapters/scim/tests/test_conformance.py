"""The server against scim2-tester, which walks every attribute of every schema that the server publishes."""

from __future__ import annotations

import warnings
from collections import Counter

from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from rse_core.api import Actor


def test_scim2_tester_finds_nothing_wrong_in_at_least_135_checks(core, app, token, capsys):
    with core.db.write() as session:
        # It makes people and deletes them all: the threshold has its own tests.
        core.options.set(session, "scim.leaving_percent", 100, Actor("tests"))
    with warnings.catch_warnings():
        # What its own libraries deprecate is not ours to mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        client = WSGISCIMClient(
            app, base_url="http://localhost/rse/scim/v2", headers={"Authorization": f"Bearer {token}"}
        )
        results = check_server(client)

    counts = Counter(result.status.name for result in results)
    with capsys.disabled():
        print(f"\nscim2-tester: {len(results)} checks, {dict(counts)}")
    wrong = [f"{one.title}: {one.reason}" for one in results if one.status != Status.SUCCESS]
    assert not wrong, "\n".join(wrong)
    assert len(results) >= 135
