"""Idempotency keys: a creating call that is repeated (a retry, a double click) creates once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from .db import dialect_insert, utcnow
from .errors import BadInput, Conflict
from .i18n import _
from .models.runtime import IdempotencyKey


def once(
    session: Session, person_id: int, key: str | None, operation: str, body: str, create: Callable[[], str]
) -> tuple[str, bool]:
    """Run ``create`` unless this key already did; its result (an id) and whether it ran now.

    Two calls at once: the second waits for the first's transaction, then gets its result.

    :param key: the caller's key, at most 120 characters; None runs ``create`` in any case.
    :param operation: what is created, so that a key is not shared between two kinds of call.
    :param body: what was asked, to tell a retry from another request under a used key.
    :raises Conflict: for another request under a used key.
    """
    if not key:
        return create(), True
    if len(key) > 120 or not key.isprintable():
        raise BadInput(_("The idempotency key is longer than 120 characters."))

    digest = hashlib.sha256(body.encode("utf-8", "surrogatepass")).digest()
    values = {"person_id": person_id, "key": key, "operation": operation, "digest": digest, "result": "", "at": utcnow()}
    statement = dialect_insert(session, IdempotencyKey).values(**values)
    fresh = session.execute(statement.on_conflict_do_nothing().returning(IdempotencyKey.key)).scalar()
    row = session.scalars(
        select(IdempotencyKey).where(IdempotencyKey.person_id == person_id, IdempotencyKey.key == key)
    ).one()
    if fresh is None:
        if row.operation != operation or row.digest != digest:
            raise Conflict(_("This was already sent with another text."), remedy=_("Send it again with a new key."))
        return row.result, False
    row.result = create()
    session.flush()
    return row.result, True
