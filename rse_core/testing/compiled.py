"""Cores made by the hundred: what they all compile is compiled once in a process.

Three libraries write code for each application anew, which a site does once and a test run thousands of times: Werkzeug two
functions for each address, Jinja a module for each template, SQLAlchemy the words of each statement; and RSE tries each
plugin's blueprints alone. None of it depends on the one application or database, so the next of the same process takes what
the first made.
"""

from __future__ import annotations

import marshal
from functools import wraps
from types import CodeType, MethodType, SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary

import pluggy
from flask import Blueprint, Flask
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.orm import Mapper
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from .. import staging_web
from ..plugin import PROJECT
from ..staging import Staging

#: Statements kept, of both kinds of database.
STATEMENTS = 4_000


def keep_compiled() -> None:
    """Keep all of it from now on, in this process."""
    if "bytecode_cache" not in Flask.jinja_options:
        Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": KeptTemplates()}
        _keep_rules()
        _keep_trials()
        _keep_hooks()
        _keep_statements()


def _keep_rules() -> None:
    """Without effect on a Werkzeug that works otherwise."""
    if getattr(Rule, "_compile_builder", None) is None:
        return
    compiling = Rule.compile
    kept: dict[tuple[Any, ...], Any] = {}

    @wraps(compiling)
    def compile_rule(self: Rule) -> None:
        if self.map is None or self.map.host_matching or self.subdomain:
            compiling(self)
            return
        # All that the code is made of: the address, what stands for its variables, the defaults as they are written.
        written = repr(sorted((name, type(one).__name__, one) for name, one in (self.defaults or {}).items()))
        key = (self.rule, self.merge_slashes, written, *self.map.converters.values())
        found = kept.get(key)
        if found is None:
            compiling(self)
            builders = [one.__func__ for one in (self._build, self._build_unknown)]  # type: ignore[attr-defined]
            kept[key] = (self._parts, self._trace, self._converters, tuple(self.arguments), *builders)
            return
        self._parts, self._trace, self._converters, arguments, build, build_unknown = found
        self.arguments.update(arguments)
        self._build = MethodType(build, self)
        self._build_unknown = MethodType(build_unknown, self)

    Rule.compile = compile_rule  # type: ignore[method-assign]


def _keep_trials() -> None:
    """At its start each plugin's blueprints are tried on applications of their own; one that was tried takes no more
    routes, so that its next trial, in the next core, finds the same.
    """
    trying = staging_web._alone
    kept: WeakKeyDictionary[Blueprint, Any] = WeakKeyDictionary()

    @wraps(trying)
    def alone(staging: Staging, blueprint: Blueprint) -> Any:
        if blueprint not in kept:
            app = trying(staging, blueprint)
            # Without the application, which would hold the blueprint for good.
            kept[blueprint] = SimpleNamespace(view_functions=tuple(app.view_functions), url_map=app.url_map)
        return kept[blueprint]

    staging_web._alone = alone


def _keep_hooks() -> None:
    """pluggy looks at each attribute of a plugin for the mark of a hook: what a class says is read once."""
    parsing = pluggy.PluginManager.parse_hookimpl_opts
    kept: WeakKeyDictionary[type, dict[str, Any]] = WeakKeyDictionary()

    @wraps(parsing)
    def parse(self: pluggy.PluginManager, plugin: Any, name: str) -> Any:
        kind = type(plugin)
        if self.project_name != PROJECT or name in getattr(plugin, "__dict__", ()):
            return parsing(self, plugin, name)
        said = kept.setdefault(kind, {})
        if name not in said:
            said[name] = parsing(self, plugin, name)
        # A copy, as the caller completes it.
        return said[name] and {**said[name]}

    pluggy.PluginManager.parse_hookimpl_opts = parse  # type: ignore[method-assign]


class KeptTemplates(BytecodeCache):
    """Code of templates by their whole source and what the environment does with it."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], bytes] = {}

    def get_source_checksum(self, source: str) -> str:
        """The source itself: nothing is read from a disk that could be torn."""
        return source

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the code if this very template was compiled before, for such an environment."""
        kept = self._kept.get((self._choices(bucket.environment) + bucket.key, bucket.checksum))
        if kept is not None:
            code: CodeType = marshal.loads(kept)  # noqa: S302 - it never left this process
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code."""
        if bucket.code is not None:
            self._kept[self._choices(bucket.environment) + bucket.key, bucket.checksum] = marshal.dumps(bucket.code)

    @staticmethod
    def _choices(environment: Environment) -> str:
        return repr(
            (
                environment.trim_blocks,
                environment.lstrip_blocks,
                environment.autoescape if isinstance(environment.autoescape, bool) else "by name",
                sorted(environment.extensions),
                sorted(environment.filters),
                sorted(environment.tests),
            )
        )


class KeptStatements(LRUCache[Any, Any]):
    """One cache of statements for all engines whose dialects are alike.

    A statement's key names its tables as objects, so that two plugins' tables of one name stay apart.
    """

    @staticmethod
    def _key(key: tuple[Any, ...]) -> tuple[Any, ...]:
        # The dialect stands first, an object of each engine's own; its server's version is known once it is connected.
        dialect = key[0]
        return (type(dialect), dialect.paramstyle, getattr(dialect, "server_version_info", None), *key[1:])

    def get(self, key: Any, default: Any = None) -> Any:
        """What was compiled for this statement on such a database."""
        return super().get(self._key(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(self._key(key), value)


def _keep_statements() -> None:
    """Engines have a cache each, and so has each mapper for what a session writes."""
    kept = KeptStatements(STATEMENTS)
    # A property, as an engine sets the attribute when it is made; what it sets is forgotten.
    Engine._compiled_cache = property(lambda _self: kept, lambda _self, _own: None)  # type: ignore[assignment]
    Mapper._compiled_cache = kept  # type: ignore[method-assign,assignment]
