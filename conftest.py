"""What holds for every test of the tree, and for the copies that run against wheels.

``RSE_TEST_REQUIRE=postgres,chromium,nginx`` turns a test that skips itself for want of one of these into a
failure: a build machine that lost its database must not look green. ``RSE_TEST_ONE_OF_EACH=1`` runs each test function once.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Generator

import pytest

try:
    import hypothesis
except ImportError:
    hypothesis = None  # type: ignore[assignment]

REQUIRED = tuple(filter(None, os.environ.get("RSE_TEST_REQUIRE", "").lower().replace(" ", "").split(",")))

if hypothesis is not None:
    # A loaded machine is slow, not wrong; and a failing example is found again from the seed printed.
    hypothesis.settings.register_profile("rse", deadline=None, print_blob=True)
    hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "rse"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """``RSE_TEST_ONE_OF_EACH=1`` leaves one case of each test, the first that nothing else has left out."""
    if not os.environ.get("RSE_TEST_ONE_OF_EACH"):
        return
    first: dict[str, pytest.Item] = {}
    for item in items:
        first.setdefault(item.nodeid.partition("[")[0], item)
    kept = set(first.values())
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = first.values()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Keep from the collector of garbage what stays to the end: modules and tests, which it would walk at each round."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test skipped for want of a thing that this run was told to have."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        missing = [name for name in REQUIRED if name in reason.lower()]
        if missing and not hasattr(report, "wasxfail"):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped ({reason}), but RSE_TEST_REQUIRE names {missing[0]}"
    return report
