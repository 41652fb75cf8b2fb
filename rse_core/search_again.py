"""Objects of one type are looked at again by a job, because a rule has changed by which they are found.

A setting that hides something must hide it at once, and the index of many thousand objects cannot be made anew within one
transaction. So the type is withheld with the change itself: :func:`rse_core.search.scopes` gives it to nobody, and what was
hidden is not found by its old words. Batch by batch a job then looks at everything; each batch is a transaction that also
leaves the next one behind it, so that an interruption goes on where it was. At the end the type is found again.
"""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

from sqlalchemy.orm import Session

from .content import ObjectRef
from .contributions import HealthResult, Job
from .db import utcnow
from .freshness import touch
from .i18n import ngettext
from .jobs import defer
from .models.runtime import SettingRow

#: A row among the settings; no setting of a plugin can be called so.
KEY = "core.search_again"
BATCH = 200
#: Until every process knows the changed rule; see :data:`rse_core.freshness.HOLDS`.
WAIT = dt.timedelta(seconds=3)
#: One that lasts longer has lost its job.
LATE = dt.timedelta(hours=6)


def begin(session: Session, ref_type: str, *, withhold: bool = True) -> None:
    """Look at all objects of a type again, with this transaction; another look that is under way begins anew.

    :param withhold: until that is done none of them is found. False where the change only shows more than before.
    """
    # Two that begin at once queue here, as the last batch does.
    touch(session)
    row = _row(session)
    if row is None:
        row = SettingRow(key=KEY, value={})
        session.add(row)
    now = dict(row.value)
    withheld = withhold or bool(now.get(ref_type, {}).get("withheld"))
    turn = secrets.token_hex(8)
    now[ref_type] = {"turn": turn, "withheld": withheld, "since": utcnow().isoformat()}
    row.value, row.changed_at = now, utcnow()
    session.flush()
    defer(session, JOB.name, run_at=utcnow() + WAIT, ref_type=ref_type, turn=turn)


def withheld(session: Session) -> frozenset[str]:
    """The types of which nothing is found now; from memory, as settings are."""
    from .runtime import core_of

    now = core_of(session).options.stored(KEY) or {}
    return frozenset(name for name, state in now.items() if state["withheld"])


def work(session: Session, ref_type: str, turn: str, after: str | None = None) -> None:
    """Job: look at the next objects of the type."""
    from .runtime import core_of

    if not _is_mine(_row(session), ref_type, turn):
        return  # a later change began anew
    plugins = core_of(session).plugins
    kind, backend = plugins.content_types.get(ref_type), plugins.search_backend()
    ids: list[str] = []
    if backend is not None and kind is not None and kind.searchable and kind.refs is not None:
        ids = list(kind.refs(session, after, BATCH))
    if ids:
        _look(session, backend, [ObjectRef(ref_type, ident) for ident in ids])
    if len(ids) == BATCH:
        defer(session, JOB.name, ref_type=ref_type, turn=turn, after=ids[-1])
        return
    touch(session)
    row = _row(session)
    if row is not None and _is_mine(row, ref_type, turn):
        row.value = {name: state for name, state in row.value.items() if name != ref_type}
        session.flush()


def check(session: Session) -> HealthResult:
    """For ``rse doctor``: every look comes to its end."""
    late = _late(session)
    if not late:
        return HealthResult(True)
    detail = ngettext(
        "%(num)s type of object is not found because its index was not made anew: %(names)s.",
        "%(num)s types of object are not found because their index was not made anew: %(names)s.",
        len(late), names=", ".join(late),
    )  # fmt: skip
    return HealthResult(False, detail, "rse doctor --repair; rse worker")


def repair(session: Session) -> HealthResult:
    """Begin anew those that did not come to their end."""
    for name in _late(session):
        begin(session, name)
    return HealthResult(True)


def _late(session: Session) -> list[str]:
    row = _row(session)
    before = (utcnow() - LATE).isoformat()
    return sorted(name for name, state in row.value.items() if state["since"] < before) if row is not None else []


def _look(session: Session, backend: Any, refs: list[ObjectRef]) -> None:
    from .search import documents

    look = getattr(backend, "look", None)
    if look is not None:
        look(session, refs)
        return
    found, gone = documents(session, refs)
    backend.index(session, found, gone)


def _row(session: Session) -> SettingRow | None:
    return session.get(SettingRow, KEY, populate_existing=True)


def _is_mine(row: SettingRow | None, ref_type: str, turn: str) -> bool:
    return row is not None and row.value.get(ref_type, {}).get("turn") == turn


JOB = Job("core.search_again", work)
