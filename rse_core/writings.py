"""What becomes of texts around their plugin: examined before they are published, kept for a time once they are deleted.

A plugin that lets people write hands each text to :func:`examine`, on creating and on editing, when the object has its id
and nothing of it has been published; one that lets people delete says so by :func:`discard`.

.. code-block:: python

    session.flush()
    decision = examine(session, decision, ref, person_id, capability="kudos.give", target=target, text=kudos.text)
    kudos.state = "pending" if decision.mode is Mode.REVIEW else "published"
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .content import ObjectRef
from .decision import Decision, Mode
from .errors import BadInput
from .i18n import Text
from .subjects import Target

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

ACTS = ("hold", "refuse", "note")


@dataclass(frozen=True, slots=True)
class Writing:
    """A text that somebody writes or edits. ``held`` already: it waits for a moderator whatever is found."""

    ref: ObjectRef
    person_id: int
    capability: str
    target: Target
    text: str
    held: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What an examination found. ``act``: ``hold`` it for a moderator, ``refuse`` it, or ``note`` (nothing changes).

    :param message: the sentence for the author.
    """

    act: str
    message: Text

    def __post_init__(self) -> None:
        if self.act not in ACTS:
            raise ValueError(f"a Finding's act is one of {', '.join(ACTS)}, not “{self.act}”")


@dataclass(frozen=True, slots=True)
class Discarded:
    """An object that was deleted, by whom (its author or a moderator) and why."""

    ref: ObjectRef
    author_id: int | None
    by_id: int | None
    target: Target
    reason: str = ""


def examine(
    session: Session, decision: Decision, ref: ObjectRef, person_id: int, *, capability: str, target: Target, text: str,
    field: str = "body",
) -> Decision:  # fmt: skip
    """The decision as it is once every plugin has looked at the text: perhaps held.

    Call it in the transaction that writes, before anything is published: what is refused leaves nothing behind.

    :param field: the form's field that an error names.
    :raises BadInput: when a plugin refuses the text.
    """
    from .runtime import core_of

    plugins = core_of(session).plugins
    if not plugins.implementations("rse_examine"):
        return decision
    writing = Writing(ref, person_id, capability, target, text, decision.mode is Mode.REVIEW)
    found = plugins.examine(session, writing)
    refusal = next((one for one in found if one.act == "refuse"), None)
    if refusal is not None:
        raise BadInput(str(refusal.message), fields={field: str(refusal.message)})
    wish = next((one for one in found if one.act == "hold"), None)
    if wish is None or decision.mode is Mode.REVIEW:
        return decision
    return replace(decision, mode=Mode.REVIEW, message=wish.message)


def discard(
    session: Session, ref: ObjectRef, *, author_id: int | None, by_id: int | None, target: Target, reason: str = ""
) -> bool:
    """Say that an object was deleted.

    :returns: whether it is kept restorable. False: its plugin drops at once what belongs to it.
    """
    from .runtime import core_of

    return core_of(session).plugins.discarded(session, Discarded(ref, author_id, by_id, target, reason))
