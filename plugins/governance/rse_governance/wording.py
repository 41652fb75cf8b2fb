"""Word rules of the site, of entities and of spaces: kept by those who moderate there, applied to every text of every
plugin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session

from rse_core.api import (
    Actor,
    BadInput,
    Conflict,
    Finding,
    Forbidden,
    NotFound,
    Text,
    Writing,
    core_of,
    dialect_insert,
    record,
    translator,
    utcnow,
)
from rse_core.cursor import moderates
from rse_core.models.organisation import Entity, Person, Space

from . import access, cases, matching
from .models import Found, WordRule

_t = translator(__file__, "rse_governance")
_, lazy = _t.gettext, _t.lazy

ACTS: dict[str, Text] = {
    "hold": lazy("Hold it for a moderator"), "refuse": lazy("Refuse it"), "note": lazy("Publish it and tell the moderators"),
}  # fmt: skip
#: The strictest first: what several rules find is treated as the strictest wants.
_ORDER = ("refuse", "hold", "note")
MOST, LONGEST = 200, 20_000
HELD = lazy("A moderator reads this before it appears.")
REFUSED = lazy("This contains words that may not be published here: %(words)s.")


@dataclass(frozen=True, slots=True)
class Shown:
    """A rule and the place where it holds; ``where`` as forms write it: ``site``, ``entity:KEY``, ``space:KEY``."""

    rule: WordRule
    where: str
    place: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule would find in a text."""

    rule: Shown
    words: tuple[str, ...]


def examine(session: Session, writing: Writing) -> Finding | None:
    """What the rules of the place find in a text; one query for the rules, one more when something is found."""
    rules = list(session.scalars(select(WordRule).where(_here(session, writing)).order_by(WordRule.id)))
    hits = [(rule, words) for rule in rules if (words := _find(rule, writing.text))]
    if not hits:
        return None
    rule, words = min(hits, key=lambda hit: _ORDER.index(hit[0].act))
    if rule.act == "refuse":
        said = rule.message or REFUSED % {"words": ", ".join(words)}
        return Finding("refuse", said)
    every = ", ".join(dict.fromkeys(word for _rule, some in hits for word in some))
    values = {"act": rule.act, "words": every[:2_000], "at": utcnow()}
    kept = dialect_insert(session, Found).values(ref_type=writing.ref.type, ref_id=writing.ref.id, **values)
    session.execute(kept.on_conflict_do_update(index_elements=["ref_type", "ref_id"], set_=values))
    if rule.act == "hold":
        return Finding("hold", rule.message or HELD)
    cases.note(session, writing.ref, author_id=writing.person_id, target=writing.target)
    return Finding("note", rule.message or "")


def found_in(session: Session, refs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What was found in these objects; one query."""
    if not refs:
        return {}
    rows = session.execute(
        select(Found.ref_type, Found.ref_id, Found.words).where(
            Found.ref_type.in_({kind for kind, _id in refs}), Found.ref_id.in_({ident for _kind, ident in refs})
        )
    )
    wanted = set(refs)
    return {(kind, ident): words for kind, ident, words in rows if (kind, ident) in wanted}


def rules(session: Session, person_id: int) -> list[Shown]:
    """The rules of the places that the person moderates, the site's first."""
    access.require_some(session, person_id)
    query = (
        select(WordRule, Entity.key, Entity.name, Space.key, Space.name)
        .outerjoin(Entity, and_(WordRule.scope == "entity", Entity.id == WordRule.scope_id))
        .outerjoin(Space, and_(WordRule.scope == "space", Space.id == WordRule.scope_id))
        .order_by(WordRule.scope != "site", WordRule.scope, WordRule.scope_id, WordRule.id)
    )
    return [
        _shown(rule, e_key or s_key, e_name or s_name)
        for rule, e_key, e_name, s_key, s_name in session.execute(query)
        if _moderates(session, person_id, rule.scope, rule.scope_id)
    ]


def add(session: Session, person_id: int, *, where: str, act: str, words: str, message: str = "") -> WordRule:
    """A new rule.

    :param where: ``site``, ``entity:KEY`` or ``space:KEY``.
    :raises Forbidden: for who does not moderate there.
    :raises BadInput: for an act that does not exist, or without words.
    """
    scope, scope_id = place(session, person_id, where)
    words, message = _checked(act, words, message)
    if len(session.scalars(select(WordRule.id).where(WordRule.scope == scope, WordRule.scope_id == scope_id)).all()) >= MOST:
        raise Conflict(_("There are as many rules here as there can be: %(most)s.", most=str(MOST)))
    rule = WordRule(scope=scope, scope_id=scope_id, act=act, words=words, message=message, created_by=person_id, version=1)
    session.add(rule)
    session.flush()
    after = {"act": act, "expressions": len(matching.expressions(words))}
    record(session, _actor(session, person_id), "words.add", where, after=after)
    return rule


def change(
    session: Session, person_id: int, rule_id: int, *, act: str, words: str, message: str = "", version: int
) -> WordRule:
    """Change a rule.

    :raises Conflict: when it has changed since ``version``.
    """
    rule = _rule(session, person_id, rule_id)
    if rule.version != version:
        raise Conflict(_("This rule has changed since you opened it."), remedy=_("Reload the page and change it again."))
    words, message = _checked(act, words, message)
    before = {"act": rule.act, "expressions": len(matching.expressions(rule.words))}
    rule.act, rule.words, rule.message, rule.version = act, words, message, rule.version + 1
    after = {"act": act, "expressions": len(matching.expressions(words))}
    record(session, _actor(session, person_id), "words.change", _where(session, rule), before=before, after=after)
    session.flush()
    return rule


def remove(session: Session, person_id: int, rule_id: int) -> None:
    """Take a rule away."""
    rule = _rule(session, person_id, rule_id)
    record(session, _actor(session, person_id), "words.remove", _where(session, rule), before={"act": rule.act})
    session.delete(rule)


def test(session: Session, person_id: int, text: str) -> list[Trial]:
    """Which of the rules that the person keeps find something in a text; nothing is kept of it."""
    if len(text) > LONGEST:
        raise BadInput(_("Write at most %(most)s characters.", most=str(LONGEST)), fields={"text": _("Shorten it.")})
    found = ((shown, _find(shown.rule, text)) for shown in rules(session, person_id))
    return [Trial(shown, tuple(words)) for shown, words in found if words]


def place(session: Session, person_id: int, where: str) -> tuple[str, int]:
    """The scope and the id of a place, for who moderates there.

    :raises NotFound: for a place that does not exist, or of which the person may not know.
    :raises Forbidden: for who does not moderate there.
    """
    kind, _colon, key = where.strip().partition(":")
    scope, scope_id = "site", 0
    if kind == "entity":
        scope, ident = "entity", session.scalar(select(Entity.id).where(Entity.key == key))
        scope_id = ident or 0
    elif kind == "space":
        scope, ident = "space", session.scalar(select(Space.id).where(Space.key == key))
        scope_id = ident or 0
    elif where.strip() != "site":
        message = _("Write site, entity:KEY or space:KEY.")
        raise BadInput(message, fields={"where": message})
    if scope != "site" and not scope_id:
        raise NotFound(_("There is no such place: %(where)s.", where=where[:80]))
    if not _moderates(session, person_id, scope, scope_id):
        if scope == "space":
            raise NotFound(_("There is no such place: %(where)s.", where=where[:80]))
        raise Forbidden(_("You do not moderate there."))
    return scope, scope_id


def _here(session: Session, writing: Writing) -> ColumnElement[bool]:
    policy = core_of(session).policy
    entity_id = session.scalar(select(Person.entity_id).where(Person.id == writing.person_id))
    path = policy.snapshot().paths.get(entity_id or 0, ())
    space_id = writing.target.space_id
    kind, target = policy.snapshot().audiences.get(writing.target.audience_id or 0, ("", 0))
    if space_id is None and kind == "space":
        space_id = target
    return or_(
        WordRule.scope == "site",
        and_(WordRule.scope == "entity", WordRule.scope_id.in_(path)) if path else false(),
        and_(WordRule.scope == "space", WordRule.scope_id == space_id) if space_id is not None else false(),
    )


def _find(rule: WordRule, text: str) -> list[str]:
    return matching.find(text, matching.index(matching.expressions(rule.words)))


def _moderates(session: Session, person_id: int, scope: str, scope_id: int) -> bool:
    policy = core_of(session).policy
    facts, snapshot = policy.person(person_id), policy.snapshot()
    if facts is None or facts.disabled_at is not None or not moderates(snapshot, facts, scope, scope_id):
        return False
    if scope != "space" or snapshot.spaces[scope_id].visibility == "public" or scope_id in facts.spaces:
        return True
    # Of a space that not everybody sees, those of the site may not even know the name.
    return any((role, "space", scope_id) in facts.roles for role in ("moderator", "animator"))


def _rule(session: Session, person_id: int, rule_id: int) -> WordRule:
    rule = session.scalar(select(WordRule).where(WordRule.id == rule_id).with_for_update())
    if rule is None or not _moderates(session, person_id, rule.scope, rule.scope_id):
        raise NotFound(_("There is no such rule."))
    return rule


def _checked(act: str, words: str, message: str) -> tuple[str, str]:
    if act not in ACTS:
        raise BadInput(_("“%(act)s” is none of hold, refuse and note.", act=act[:20]))
    words = "\n".join(line.strip() for line in words.splitlines() if line.strip())
    if not matching.expressions(words):
        raise BadInput(_("The rule has no words."), fields={"words": _("Write one expression a line.")})
    if len(words) > LONGEST or "\x00" in words + message:
        message = _("The rule is longer than %(most)s characters.", most=str(LONGEST))
        raise BadInput(message, fields={"words": _("Make two rules of it.")})
    message = " ".join(message.split())
    if len(message) > 500:
        raise BadInput(_("Write at most %(most)s characters.", most="500"), fields={"message": _("Shorten it.")})
    return words, message


def _shown(rule: WordRule, key: str | None, name: str | None) -> Shown:
    if rule.scope == "site":
        return Shown(rule, "site", _("The whole site"))
    return Shown(rule, f"{rule.scope}:{key}", name or "–")


def _where(session: Session, rule: WordRule) -> str:
    if rule.scope == "site":
        return "site"
    model = Entity if rule.scope == "entity" else Space
    return f"{rule.scope}:{session.scalar(select(model.key).where(model.id == rule.scope_id))}"


def _actor(session: Session, person_id: int) -> Actor:
    return access.actor_of(session, person_id)
