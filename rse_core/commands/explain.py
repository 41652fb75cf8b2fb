"""``rse explain``: may this person do this, and why; one question, or a file of them for auditors."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..content import ObjectRef
from ..decision import Decision, Step
from ..errors import BadInput, RseError
from ..i18n import _, normalise_locale, use_locale
from ..models.organisation import Person
from ..subjects import Resolved
from ..when import parse_moment
from . import echo_json, json_option, pass_core

if TYPE_CHECKING:
    from ..runtime import Core

logger = logging.getLogger("rse.policy")
#: Questions read, looked up and answered at a time.
_CHUNK = 2_000
#: No person has this id: the policy answers that the person is unknown.
_NOBODY = 0
_KEYS = ("person", "capability", "on", "at")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, read and checked."""

    person: str
    capability: str
    on: ObjectRef | None
    at: dt.datetime | None


def asked(values: dict[str, Any], zone: str) -> Asked:
    """A question from its texts.

    :raises BadInput: names the part that cannot be used.
    """
    unknown = [key for key in values if key not in _KEYS]
    if unknown:
        raise BadInput(_("“%(key)s” is no part of a question.", key=str(unknown[0])[:40]),
                       remedy=_("Its parts are: %(keys)s.", keys=", ".join(_KEYS)))  # fmt: skip
    for key in _KEYS:
        text = values.get(key)
        if text is None and key in ("on", "at"):
            continue
        if not isinstance(text, str) or not text or "\x00" in text or not _encodable(text):
            raise BadInput(_("“%(key)s” is missing or not a text.", key=key))
    on, at = values.get("on"), values.get("at")
    return Asked(
        values["person"],
        values["capability"],
        None if on is None else ObjectRef.parse(on),
        None if at is None else parse_moment(at, zone),
    )


def _encodable(text: str) -> bool:
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False


def answers(session: Session, core: Core, questions: list[Asked]) -> Iterator[tuple[Decision, str]]:
    """The decisions, in order, each with the person's language."""
    policy = core.policy
    ids: dict[str, int] = {}
    names = sorted({question.person for question in questions})
    for start in range(0, len(names), 500):
        rows = session.execute(
            select(Person.username, Person.id).where(Person.username.in_(names[start : start + 500]))
        )
        ids |= {username: ident for username, ident in rows}
    policy.preload(ids.values())
    places: Sequence[Resolved | None]
    try:
        places = policy.resolve_many(session, [question.on for question in questions])
    except Exception:  # isolation point: one by one, so that the objects of a broken type are refused and no others
        logger.exception("objects cannot be resolved together; trying one by one")
        session.rollback()
        places = [None] * len(questions)
    for question, resolved in zip(questions, places, strict=True):
        ident = ids.get(question.person, _NOBODY)
        decision = policy.explain(session, ident, question.capability, question.on, at=question.at, resolved=resolved)
        person = policy.person(ident) if ident else None
        yield decision, person.locale if person else ""


@click.command("explain")
@click.option("--person", metavar="USERNAME", help="Who would do it.")
@click.option("--capability", metavar="KEY", help="What, for example comments.write (see rse capability list).")
@click.option("--on", metavar="TYPE:ID", help="On what: page:/news/12 (a path, an absolute address or a page's id) …")
@click.option("--at", metavar="DATETIME", help="At another moment, past or future.")
@click.option("--batch", type=click.File("rb"), metavar="FILE.jsonl",
              help='A question a line, {"person", "capability", "on", "at"}, the last two optional; - reads them from the '
              "terminal or a pipe. One answer a line, in order.")  # fmt: skip
@json_option
@pass_core
def explain(
    core: Core, person: str | None, capability: str | None, on: str | None, at: str | None,
    batch: IO[bytes] | None, as_json: bool,
) -> None:  # fmt: skip
    """May a person do this, and why: every rule that was looked at. Exit code 0 when allowed, 1 when refused."""
    if batch is not None:
        if person or capability or on or at:
            raise click.UsageError(_("With --batch, the questions stand in the file alone."))
        click.get_current_context().exit(0 if _batch(core, batch) else 1)
    if not person or not capability:
        raise click.UsageError(_("Give --person and --capability, or --batch."))
    try:
        question = asked({"person": person, "capability": capability, "on": on or None, "at": at or None},
                         core.settings.timezone)  # fmt: skip
    except BadInput as error:
        raise click.UsageError(str(error)) from None
    with core.db.read() as session:
        decision, locale = next(answers(session, core, [question]))
        if as_json:
            with use_locale(_language(core, locale)):
                echo_json(decision.as_dict())
        else:
            _print(decision, question)
    click.get_current_context().exit(0 if decision.allowed else 1)


def _language(core: Core, locale: str) -> str:
    return normalise_locale(locale) or core.settings.default_locale


def _batch(core: Core, lines: Iterable[bytes]) -> bool:
    complete = True
    with core.db.read() as session:
        for chunk in _chunks(lines):
            read = [_read(line, core.settings.timezone) for line in chunk]
            found = answers(session, core, [question for question in read if isinstance(question, Asked)])
            for question in read:
                if isinstance(question, str):
                    complete = False
                    answer: dict[str, Any] = {"error": question}
                else:
                    decision, locale = next(found)
                    with use_locale(_language(core, locale)):
                        answer = decision.as_dict()
                click.echo(json.dumps(answer, ensure_ascii=False, separators=(",", ":")))
    return complete


def _chunks(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    for line in lines:
        if line.strip():
            chunk.append(line)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _read(line: bytes, zone: str) -> Asked | str:
    try:
        values = json.loads(line.decode("utf-8-sig"))
        if not isinstance(values, dict):
            return _("This line is not a question.")
        return asked(values, zone)
    except (ValueError, RecursionError):
        return _("This line is not JSON.")
    except RseError as error:
        return str(error)


def _print(decision: Decision, question: Asked) -> None:
    about = f"{question.capability} · {question.on}" if question.on else question.capability
    verdict = _("%(person)s may do this: %(what)s", person=question.person, what=about)
    if not decision.allowed:
        verdict = _("%(person)s may not do this: %(what)s", person=question.person, what=about)
    click.echo(verdict)
    click.echo(f"  {decision.message}")
    for step in decision.trail:
        _print_step(step)


def _print_step(step: Step) -> None:
    rows = step.detail.get("rows", [])
    plain = {key: value for key, value in step.detail.items() if key != "rows" and value not in (None, [], "")}
    detail = ", ".join(f"{key} {_shown(value)}" for key, value in plain.items())
    click.echo(f"  {'+' if step.passed else '-'} {step.rule}: {detail}".rstrip(": "))
    for row in rows:
        place = row["scope"] if row["scope"] == "site" else f"{row['scope']}:{row['key']}"
        state = "" if row["in_force"] else _(" (to come)")
        level = "–" if row["level"] is None else row["level"]
        why = f" “{row['why']}”" if row["why"] else ""
        click.echo(f"      {row['kind']} {place} {level} · {row['starts_at'][:16]} · {row['who']}{why}{state}")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


COMMANDS: list[click.Command] = [explain]
