"""``python -m rse_sso``: the commands of ``rse sso`` without the core's start."""

from __future__ import annotations

import sys

from rse_core.errors import RseError
from rse_core.settings import Settings

from .cli import make_group
from .config import SsoConfig, read_section


def _load() -> tuple[Settings, SsoConfig]:
    settings = Settings.load()
    return settings, read_section(settings)


def main() -> int:
    """Exit code 0 done, 1 refused with one sentence, 2 misuse."""
    try:
        make_group(_load)(prog_name="python -m rse_sso")
    except RseError as error:
        print(f"sso: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
