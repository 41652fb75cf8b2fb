"""Plugins whose tables or migrations are wrong: nothing of them stays in the database, and the others go on."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect

from rse_core import migrate
from rse_core.db import metadata
from rse_core.errors import PluginError
from rse_core.i18n import use_locale

MODELS = "@hookimpl\ndef rse_models(self): return [Base]"


@pytest.fixture(autouse=True)
def in_english():
    """Messages are compared in English."""
    with use_locale("en"):
        yield


def create(name, kind="sa.BigInteger().with_variant(sa.Integer(), 'sqlite')"):
    """The call that makes a table with an id."""
    return f"op.create_table('{name}', sa.Column('id', {kind}, primary_key=True))"


@pytest.fixture
def start(rse_core, rse_distributions):
    """A core that is not strict, with whatever the test has installed."""
    return lambda **settings: rse_core(discover=True, **{"strict": False, **settings})


def quarantined(core, name, *words):
    """The plugin is quarantined, and its reason and remedy say these words."""
    state = core.plugins.states[name]
    assert state.status == "quarantined", state
    for word in (f"“{name}”", *words):
        assert word in f"{state.reason} {state.remedy}", f"{word!r} is not in: {state.reason} {state.remedy}"


def tables_of(core):
    """The names of the tables in the database."""
    return set(inspect(core.db.engine).get_table_names())


def test_a_table_outside_its_prefix(start, rse_distributions):
    rse_distributions.add_with_table("broken", "rse_core_mine", create("rse_core_mine"))
    core = start()
    quarantined(core, "broken", "rse_core_mine", "rse_broken_")
    assert "rse_core_mine" not in metadata.tables
    migrate.upgrade(core)
    assert "rse_core_mine" not in tables_of(core)


def test_tables_without_migrations(start, rse_distributions):
    before = """
        from sqlalchemy.orm import Mapped, mapped_column

        Base = plugin_base("broken")

        class Thing(Base):
            __tablename__ = "rse_broken_thing"
            id: Mapped[int] = mapped_column(Key, primary_key=True)
    """
    rse_distributions.add_plugin("broken", MODELS, before=before)
    core = start()
    quarantined(core, "broken", "rse_broken_thing", "rse_migrations")
    assert "rse_broken_thing" not in metadata.tables


def test_models_that_do_not_fit_together(start, rse_distributions):
    after = 'from sqlalchemy.orm import relationship\nThing.others = relationship("NoSuchThing")\n'
    rse_distributions.add_with_table("broken", "rse_broken_thing", create("rse_broken_thing"), after=after)
    rse_distributions.add_with_table("other", "rse_other_thing", create("rse_other_thing"))
    core = start()
    quarantined(core, "broken", "NoSuchThing")
    assert "rse_broken_thing" not in metadata.tables
    migrate.upgrade(core)
    assert core.plugins.states["other"].status == "on"


def test_a_bad_migration_leaves_nothing_behind(start, rse_distributions):
    body = create("rse_broken_thing") + "\nop.execute('SELECT no_such_column FROM rse_broken_thing')"
    rse_distributions.add_with_table("broken", "rse_broken_thing", body)
    rse_distributions.add_with_table("other", "rse_other_thing", create("rse_other_thing"))
    core = start()
    quarantined(core, "broken", "rse upgrade")
    outcomes = {o.name: o.state for o in migrate.upgrade(core)}
    assert outcomes == {"core": "current", "broken": "failed", "other": "upgraded"}
    quarantined(core, "broken", "rse upgrade", "no_such_column")
    assert {"rse_broken_thing", "rse_broken_alembic"}.isdisjoint(tables_of(core))
    assert "rse_other_thing" in tables_of(core)
    assert core.plugins.states["other"].status == "on"
    core.check_database()


def test_a_bad_migration_is_still_shown_after_a_restart(start, rse_distributions):
    rse_distributions.add_with_table("broken", "rse_broken_thing", "raise RuntimeError('no')")
    core = start()
    migrate.upgrade(core)
    again = start(database_url=core.db.url)
    quarantined(again, "broken", "rse upgrade")


def test_one_that_requires_a_plugin_whose_migration_fails_is_not_migrated(start, rse_distributions):
    rse_distributions.add_with_table("base", "rse_base_thing", "raise RuntimeError('no')")
    rse_distributions.add_plugin("top", manifest='requires=("base",)')
    core = start()
    outcomes = {o.name: o.state for o in migrate.upgrade(core)}
    assert outcomes == {"core": "current", "base": "failed", "top": "failed"}
    quarantined(core, "top", "“base”")


def test_those_that_waited_for_their_tables_run_after_the_upgrade(start, rse_distributions):
    rse_distributions.add_with_table("base", "rse_base_thing", create("rse_base_thing"))
    rse_distributions.add_plugin("top", manifest='requires=("base",)')
    core = start()
    quarantined(core, "base", "rse upgrade")
    quarantined(core, "top", "“base”")
    migrate.upgrade(core)
    assert {s.status for s in core.plugins.states.values()} == {"on"}
    again = start(database_url=core.db.url)
    assert {s.status for s in again.plugins.states.values()} == {"on"}


def test_a_migration_that_makes_another_plugins_table(start, rse_distributions):
    body = create("rse_broken_thing") + "\n" + create("rse_likes_thing")
    rse_distributions.add_with_table("broken", "rse_broken_thing", body)
    core = start()
    migrate.upgrade(core)
    quarantined(core, "broken", "rse_likes_thing", "rse_broken_")
    assert {"rse_likes_thing", "rse_broken_thing"}.isdisjoint(tables_of(core))


def test_a_migration_that_drops_a_table_of_the_core(start, rse_distributions):
    rse_distributions.add_with_table("broken", "rse_broken_thing", "op.drop_table('rse_core_audit')")
    core = start()
    migrate.upgrade(core)
    quarantined(core, "broken", "rse_core_audit")
    assert "rse_core_audit" in tables_of(core)


def test_a_migration_that_is_no_python(start, rse_distributions):
    package = rse_distributions.add_with_table("broken", "rse_broken_thing", "pass")
    (package / "migrations/versions/0001_first.py").write_text("revision = \n")
    core = start()
    quarantined(core, "broken", "0001_first.py")


def test_a_strict_upgrade_raises(start, rse_distributions):
    rse_distributions.add_with_table("broken", "rse_broken_thing", "raise RuntimeError('no')")
    core = start(strict=True)
    with pytest.raises(PluginError, match="“broken” failed and was rolled back"):
        migrate.upgrade(core)
