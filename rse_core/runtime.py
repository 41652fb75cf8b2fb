"""Core: everything that runs without Flask, assembled once: settings, database, plugins, policy, pages, jobs.

A service reaches it from its session: :func:`core_of`. The command line, the worker and the web application share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from .db import Database
from .settings import Settings

if TYPE_CHECKING:
    from .jobs import Jobs
    from .live import Live
    from .manager import PluginManager
    from .options import Options
    from .pages import Pages
    from .policy import Policy


class Core:
    """The running core.

    :param settings: the configuration.
    :param plugins: plugin objects to use instead of those found by entry point (tests, embedding).
    :param extra: plugin objects to use beside those.
    """

    settings: Settings
    db: Database
    plugins: PluginManager
    policy: Policy
    pages: Pages
    jobs: Jobs
    live: Live
    options: Options

    def __init__(
        self, settings: Settings, *, plugins: Sequence[object] | None = None, extra: Sequence[object] = ()
    ) -> None:
        from . import handover_notices, rollout_notices
        from .jobs import Jobs
        from .live import Live
        from .manager import PluginManager
        from .options import Options
        from .pages import Pages
        from .policy import Policy

        self.settings = settings
        self.db = Database(settings.database_url)
        self.db.sessions.configure(info={"rse_core": self})
        self.plugins = PluginManager(settings, self.db, explicit=plugins, extra=extra)
        self.plugins.load()
        self.policy = Policy(self)
        self.pages = Pages(self)
        self.plugins.add_core_type(self.pages.content_type())
        self.plugins.add_core_type(rollout_notices.WAVE)
        self.plugins.add_core_type(handover_notices.CONTENT)
        self.plugins.add_core_notification(rollout_notices.NOTIFICATION)
        self.plugins.add_core_notification(handover_notices.NOTIFICATION)
        self.jobs = Jobs(self)
        self.options = Options(self)
        self.live = Live(self)

    @classmethod
    def from_environment(cls, **overrides: Any) -> Core:
        """A core from ``rse.toml`` and ``RSE_*``."""
        return cls(Settings.load(**overrides))

    def check_database(self) -> None:
        """:raises RseError: when the core's own tables are missing or behind; names the command to run."""
        from .migrate import check_current

        check_current(self)

    def close(self) -> None:
        """Stop the threads and close the connections."""
        self.live.stop()
        self.jobs.stop()
        self.policy.stop()
        self.db.dispose()


def core_of(session: Session) -> Core:
    """The core that this session belongs to."""
    core: Core = session.info["rse_core"]
    return core
