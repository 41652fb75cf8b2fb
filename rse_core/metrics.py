"""Figures of the machine for Prometheus: requests of this process, and what waits in the database.

With several server processes each counts its own requests; scrape them one by one, or set ``PROMETHEUS_MULTIPROC_DIR``.
What is read from the database (queue, quarantine) is the same from any of them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from .db import utcnow
from .models.runtime import JobRow, Outbox

if TYPE_CHECKING:
    from .runtime import Core

log = logging.getLogger("rse.metrics")


class Metrics:
    """The figures of one application."""

    def __init__(self, core: Core) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "rse_requests", "Requests answered", ["endpoint", "method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "rse_request_seconds",
            "Time to answer a request",
            ["endpoint"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=self.registry,
        )
        self.registry.register(FromDatabase(core))
        self.registry.register(FromLive(core))

    def note(self, endpoint: str, method: str, status: int, seconds: float) -> None:
        """Count one request."""
        self.requests.labels(endpoint, method, f"{status // 100}xx").inc()
        self.seconds.labels(endpoint).observe(seconds)

    def text(self) -> bytes:
        """The exposition format."""
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            from prometheus_client.multiprocess import MultiProcessCollector

            together = CollectorRegistry()
            MultiProcessCollector(together)  # type: ignore[no-untyped-call]
            return generate_latest(together)
        return generate_latest(self.registry)


class FromDatabase(Collector):
    """What waits, and what is quarantined; read when asked."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: registering must not query."""
        return []

    def collect(self) -> Iterator[Metric]:
        """One family after the other; what cannot be read is left out and logged."""
        states = self.core.plugins.states.values()
        plugins = GaugeMetricFamily("rse_plugins", "Plugins by state", labels=["status"])
        for status in ("on", "quarantined", "left_out"):
            plugins.add_metric([status], sum(state.status == status for state in states))
        yield plugins
        try:
            with self.core.db.read() as session:
                waiting = session.scalar(select(func.count()).select_from(Outbox).where(Outbox.done_at.is_(None)))
                by_state = select(JobRow.state, func.count()).group_by(JobRow.state)
                jobs = {row[0]: row[1] for row in session.execute(by_state)}
                oldest = self.core.jobs.oldest(session)
        except Exception:
            log.exception("the queue could not be read for the metrics")
            yield GaugeMetricFamily("rse_database_up", "Whether the database answers", value=0)
            return
        yield GaugeMetricFamily("rse_database_up", "Whether the database answers", value=1)
        yield GaugeMetricFamily("rse_events_waiting", "Events not delivered to every consumer", value=waiting or 0)
        family = GaugeMetricFamily("rse_jobs", "Jobs by state", labels=["state"])
        for state in ("queued", "running", "dead"):
            family.add_metric([state], jobs.get(state, 0))
        yield family
        age = 0.0 if oldest is None else max(0.0, (utcnow() - oldest).total_seconds())
        yield GaugeMetricFamily("rse_oldest_job_seconds", "How long the oldest due job has waited", value=age)


class FromLive(Collector):
    """The streams of this process, where it serves any."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand."""
        return []

    def collect(self) -> Iterator[Metric]:
        """As the hub counts them."""
        hub = self.core.live.hub
        if hub is None:
            return
        yield GaugeMetricFamily("rse_live_listening", "Whether changes reach this process", value=int(hub.listening))
        yield GaugeMetricFamily("rse_live_streams", "Pages that listen", value=len(hub.streams))
        for name, text, value in (
            ("opened", "Streams begun", hub.opened),
            ("refused", "Streams refused because there were too many", hub.refused),
            ("dropped", "Streams dropped because their client did not read", hub.dropped),
            ("events", "Changes told to a page", hub.told),
            ("again", "Times that every page was told to look again", hub.lost),
        ):
            yield CounterMetricFamily(f"rse_live_{name}", text, value=value)
