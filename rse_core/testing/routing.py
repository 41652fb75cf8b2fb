"""Applications made by the hundred: what Werkzeug compiles for each rule is compiled once for all of them.

It writes and compiles two functions for each address that an application has, three quarters of what it costs to make one.
They depend on the rule alone, so the next application of the same process takes the same ones.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from werkzeug.routing import Rule


def keep_compiled_rules() -> None:
    """Keep them from now on, in this process; without effect on a Werkzeug that works otherwise."""
    compiling: Callable[..., Any] | None = getattr(Rule, "_compile_builder", None)
    if compiling is None or hasattr(compiling, "__wrapped__"):
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
