"""Cores made by the hundred: what they all compile is compiled once in a process.

Three libraries write code for each application anew, which a site does once and a test run thousands of times: Werkzeug two
functions for each address, Jinja a module for each template, SQLAlchemy the words of each statement. None of it depends on
the one application or database, so the next of the same process takes what the first made.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable
from functools import wraps
from types import CodeType
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.orm import Mapper
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

#: Statements kept, of both kinds of database.
STATEMENTS = 4_000


def keep_compiled() -> None:
    """Keep all three from now on, in this process."""
    if "bytecode_cache" not in Flask.jinja_options:
        Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": KeptTemplates()}
        _keep_rules()
        _keep_statements()


def _keep_rules() -> None:
    """Without effect on a Werkzeug that works otherwise."""
    compiling: Callable[..., Any] | None = getattr(Rule, "_compile_builder", None)
    if compiling is None:
        return
    kept: dict[tuple[Any, ...], Any] = {}

    @wraps(compiling)
    def compile_builder(self: Rule, append_unknown: bool = True) -> Any:
        # What stands in the trace is all that the code is made of, with the defaults as the converters write them.
        defaults = repr(sorted((self.defaults or {}).items()))
        converters = repr(sorted((name, str(type(one))) for name, one in self._converters.items())) if self.defaults else ""
        key = (self.rule, tuple(self._trace), defaults, converters, append_unknown)
        if key not in kept:
            kept[key] = compiling(self, append_unknown)
        return kept[key]

    Rule._compile_builder = compile_builder  # type: ignore[method-assign]


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
