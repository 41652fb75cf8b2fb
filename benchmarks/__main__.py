"""Run the benchmarks, all or those named: ``python -m benchmarks can slots``."""

from __future__ import annotations

import importlib
import sys

ALL = (
    "can", "slots", "injection", "people_import", "feed", "search", "broadcast", "directory", "ldap_sync", "scim", "live",
    "indicators", "kanban", "kanban_beside", "kanban_keyboard",
)


def main(names: list[str]) -> int:
    """Run each in turn; 2 for a name that is none of them."""
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(ALL)}", file=sys.stderr)
        return 2
    for name in names or ALL:
        print(f"== {name}", flush=True)
        # A benchmark that takes arguments of its own gets none here.
        sys.argv = [f"benchmarks.{name}"]
        importlib.import_module(f"benchmarks.{name}").main()
        print(flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
