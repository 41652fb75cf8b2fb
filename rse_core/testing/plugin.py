"""Fixtures of the test kit; pytest finds them by entry point.

A distribution's ``conftest.py`` says once which plugins its tests run with::

    @pytest.fixture
    def rse_plugins():
        return [my_plugin]

and its tests then ask for ``core`` (on SQLite, and again on PostgreSQL), ``rse_client``, ``make_person`` …
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from ..models.organisation import Entity, Group, Person, Space
    from ..runtime import Core
    from .databases import Databases
    from .distributions import Distributions

CoreFactory = Callable[..., "Core"]

#: ``rse_site``, ``rse_tab``, ``axe_violations``: a real browser on a real page.
pytest_plugins = ("rse_core.testing.browser",)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the kit's markers."""
    config.addinivalue_line("markers", "postgres: needs a PostgreSQL server (RSE_TEST_POSTGRES_URL, else the local one)")
    config.addinivalue_line("markers", "browser: drives a headless Chromium")


@pytest.fixture(scope="session")
def _rse_database_kinds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Databases]]:
    from .databases import POSTGRES, SQLITE, Databases, quick_folder

    with quick_folder(tmp_path_factory.mktemp("rse-databases")) as folder:
        kinds = {kind: Databases(kind, folder) for kind in (SQLITE, POSTGRES)}
        yield kinds
        for kind in kinds.values():
            kind.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def rse_database(request: pytest.FixtureRequest, _rse_database_kinds: dict[str, Databases]) -> Databases:
    """Maker of databases: the test runs once on SQLite and once on PostgreSQL."""
    databases = _rse_database_kinds[request.param]
    databases.check()
    return databases


@pytest.fixture
def rse_plugins() -> Sequence[object]:
    """The plugins that ``core`` runs with; override it in a conftest or a test module."""
    return ()


@pytest.fixture
def rse_core(rse_database: Databases, rse_plugins: Sequence[object]) -> Iterator[CoreFactory]:
    """Makes cores, each on a database of its own: ``rse_core(plugins=[…], **settings)``.

    ``identity=False`` leaves out the kit's identity source, ``migrated=False`` gives an empty database and
    ``discover=True`` takes the plugins that are installed instead of given ones.
    """
    from ..runtime import Core
    from .compiled import keep_compiled
    from .databases import kit_settings
    from .identity import KitIdentity

    keep_compiled()
    made: list[tuple[Core, str]] = []

    def make(
        plugins: Sequence[object] | None = None,
        *,
        identity: bool = True,
        migrated: bool = True,
        discover: bool = False,
        **settings: Any,
    ) -> Core:
        chosen = [] if discover else list(rse_plugins if plugins is None else plugins)
        given = "database_url" in settings
        url = settings.pop("database_url", None) or (rse_database.migrated(chosen) if migrated else rse_database.empty())
        if identity:
            chosen.append(KitIdentity())
        core = Core(kit_settings(database_url=url, **settings), plugins=None if discover else chosen)
        made.append((core, "" if given else url))
        return core

    yield make
    for core, url in reversed(made):
        core.close()
        if url:
            rse_database.drop(url)


@pytest.fixture
def core(rse_core: CoreFactory) -> Core:
    """A running core with the plugins of ``rse_plugins``, on a migrated database."""
    return rse_core()


@pytest.fixture
def use_plugin(rse_core: CoreFactory, rse_plugins: Sequence[object]) -> CoreFactory:
    """``use_plugin(plugin, …, **settings)``: a core with the usual plugins and these."""

    def use(*plugins: object, **settings: Any) -> Core:
        return rse_core([*rse_plugins, *plugins], **settings)

    return use


@pytest.fixture
def rse_distributions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Distributions]:
    """Makes distributions that are found as installed ones are; all others stay out of the way."""
    from importlib import metadata

    from .. import discovery
    from .distributions import Distributions

    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.setattr(discovery, "installed", lambda: metadata.distributions(path=[str(folder)]))
    made = Distributions(folder, monkeypatch)
    yield made
    made.forget()


@pytest.fixture
def rse_app(core: Core) -> Flask:
    """RSE as a Flask application over ``core``, without background threads."""
    from ..extension import create_app

    app = create_app(core)
    app.testing = True
    return app


@pytest.fixture
def rse_client(rse_app: Flask) -> FlaskClient:
    """A client of ``rse_app``; ``as_person(rse_client, person)`` signs somebody in."""
    return rse_app.test_client()


@pytest.fixture
def settle(core: Core) -> Callable[[], None]:
    """``settle()``: every event and job of ``core`` that waits is run, and what these make."""

    def run() -> None:
        while core.jobs.run_due():
            pass

    return run


@pytest.fixture
def as_person() -> Callable[..., Any]:
    """``as_person(client, person)``: the client's requests are made by this person."""
    from .identity import as_person

    return as_person


@pytest.fixture
def make_person(core: Core) -> Callable[..., Person]:
    """``make_person("alice", entity=…, level=…)`` in ``core``."""
    from .organisation import make_person

    return lambda *args, **values: make_person(core, *args, **values)


@pytest.fixture
def make_entity(core: Core) -> Callable[..., Entity]:
    """``make_entity("north", parent=…)`` in ``core``."""
    from .organisation import make_entity

    return lambda *args, **values: make_entity(core, *args, **values)


@pytest.fixture
def make_group(core: Core) -> Callable[..., Group]:
    """``make_group("ambassadors", members=[…])`` in ``core``."""
    from .organisation import make_group

    return lambda *args, **values: make_group(core, *args, **values)


@pytest.fixture
def make_space(core: Core) -> Callable[..., Space]:
    """``make_space("garden", members=[…], managers=[…])`` in ``core``."""
    from .organisation import make_space

    return lambda *args, **values: make_space(core, *args, **values)


@pytest.fixture
def set_level(core: Core) -> Callable[..., None]:
    """``set_level(Level.COMMENT, entity=…)`` in ``core``."""
    from .organisation import set_level

    return lambda *args, **values: set_level(core, *args, **values)
