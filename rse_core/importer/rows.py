"""The three files: their columns, and each line as a checked row."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import BadInput
from ..i18n import _, normalise_locale
from ..organisation import MAX_KEY, MAX_NAME
from ..people import LIMITS, called, check_text, is_email
from .reading import Table
from .report import LineError, Progress

ENTITY_COLUMNS = ("entity_id", "name", "parent_id")
PEOPLE_COLUMNS = (
    "external_id",
    "username",
    "display_name",
    "email",
    "entity_id",
    "job_title",
    "manager_external_id",
    "is_manager",
    "locale",
    "phone",
    "site",
)
#: A file may leave these out; what is known stays then as it is.
PEOPLE_OPTIONAL = ("external", "other_entity_ids", "assistant_external_ids")
GROUP_COLUMNS = ("group_id", "name", "external_id")

_TRUE = frozenset({"1", "true", "oui", "yes", "vrai", "o", "y"})
_FALSE = frozenset({"", "0", "false", "non", "no", "faux", "n"})
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*\Z")
#: No text of a person may be shorter than this limit, so that most lines need no closer look.
_SHORT = min(LIMITS.values())


@dataclass(slots=True)
class EntityRow:
    """A line of the entities."""

    line: int
    key: str
    name: str
    parent: str
    where: str = ""


@dataclass(slots=True)
class PersonRow:
    """A line of the people; ``entity`` and ``manager`` are the organisation's own ids, "" for none."""

    line: int
    external_id: str
    username: str
    display_name: str
    email: str
    entity: str
    job_title: str
    manager: str
    is_manager: bool
    locale: str
    phone: str
    site: str
    #: from outside the organisation; None where the file does not say
    external: bool | None = None
    #: names the entry in errors, where there is no file with lines
    where: str = ""
    #: entities beside the main one, and external ids of those who assist them; None where the source does not say
    others: tuple[str, ...] | None = None
    assistants: tuple[str, ...] | None = None


@dataclass(slots=True)
class GroupRow:
    """A group, gathered from its lines; ``members`` maps an external id to its line."""

    line: int
    key: str
    name: str
    members: dict[str, int] = field(default_factory=dict)
    where: str = ""


@dataclass(slots=True)
class Parsed:
    """What the files say, as far as each line can be judged by itself. None for a file that was not given."""

    people_file: str
    entities_file: str
    groups_file: str
    people: dict[str, PersonRow]
    entities: dict[str, EntityRow] | None
    groups: dict[str, GroupRow] | None
    errors: list[LineError]
    #: everybody named in the file of people, also on lines that are left out
    present: set[str]
    #: lines of which nobody can say whom they are about
    anonymous: int
    refused_entities: set[str]
    #: who keeps these people up to date; only its own are changed, and only they can have left
    source: str = "csv"
    #: everybody is there; else nobody has left who is missing
    complete: bool = True
    #: other sources whose people this one takes over
    adopts: frozenset[str] = frozenset({"local"})


def read(
    people: Path | str,
    entities: Path | str | None = None,
    groups: Path | str | None = None,
    *,
    progress: Progress | None = None,
) -> Parsed:
    """Read the files; no database is needed.

    :raises FileRefused: when one cannot be read as a whole.
    """
    parsed = Parsed(
        Path(people).name,
        "" if entities is None else Path(entities).name,
        "" if groups is None else Path(groups).name,
        {},
        None,
        None,
        [],
        set(),
        0,
        set(),
    )
    if entities is not None:
        _read_entities(_table(entities, ENTITY_COLUMNS, parsed, progress), parsed)
    if groups is not None:
        _read_groups(_table(groups, GROUP_COLUMNS, parsed, progress), parsed)
    _read_people(_table(people, PEOPLE_COLUMNS, parsed, progress, PEOPLE_OPTIONAL), parsed)
    return parsed


def _table(
    path: Path | str, columns: tuple[str, ...], parsed: Parsed, progress: Progress | None, optional: tuple[str, ...] = ()
) -> Table:
    file = Path(path)
    advance: Callable[[int], None] | None = None
    if progress is not None and file.is_file():
        size, told = file.stat().st_size, progress

        def advance(done: int) -> None:
            told(file.name, min(done, size), size)

    return Table(file, columns, parsed.errors, advance, optional)


def _read_entities(table: Table, parsed: Parsed) -> None:
    found: dict[str, EntityRow] = {}
    for line, (key, name, parent) in table.rows():
        good = _check(table, line, "entity_id", key, MAX_KEY) and _check(table, line, "name", name, MAX_NAME)
        if good and key in found:
            _twice(table, line, "entity_id", key, found[key].line)
        elif good:
            found[key] = EntityRow(line, key, name, parent)
            continue
        parsed.refused_entities.add(key)
    parsed.refused_entities.update(row[0] for row in table.refused if row)
    parsed.refused_entities.difference_update(found)
    parsed.entities = found


def _read_groups(table: Table, parsed: Parsed) -> None:
    found: dict[str, GroupRow] = {}
    for line, (key, name, member) in table.rows():
        if not (_check(table, line, "group_id", key, MAX_KEY) and _check(table, line, "name", name, MAX_NAME)):
            continue
        group = found.setdefault(key, GroupRow(line, key, name))
        if group.name != name:
            message = _("The group “%(key)s” is called “%(name)s” on line %(line)s.")
            remedy = _("Give it the same name on each of its lines.")
            table.note(line, "name", message % {"key": key, "name": group.name, "line": group.line}, remedy)
        elif member:
            group.members.setdefault(member, line)
    parsed.groups = found


def _read_people(table: Table, parsed: Parsed) -> None:
    usernames: dict[str, int] = {}
    for line, cells in table.rows():
        external_id, username = cells[0], cells[1]
        first = parsed.people.get(external_id)
        if external_id:
            parsed.present.add(external_id)
        else:
            parsed.anonymous += 1
        row = _person(table, line, cells, dict(zip(table.extra, cells[len(PEOPLE_COLUMNS) :], strict=True)))
        if row is None:
            continue
        if first is not None:
            _twice(table, line, "external_id", external_id, first.line)
        elif username in usernames:
            _twice(table, line, "username", username, usernames[username])
        else:
            usernames[username] = line
            parsed.people[external_id] = row
    for refused in table.refused:
        if refused and refused[0].isprintable() and refused[0]:
            parsed.present.add(refused[0])
        else:
            parsed.anonymous += 1


def _person(table: Table, line: int, cells: list[str], extra: dict[str, str]) -> PersonRow | None:
    (external_id, username, display_name, email, entity, job, manager, flag, locale, phone, site) = cells[:11]
    good = True
    # Control characters were looked for when the line was read; nearly every line passes here at once.
    if not (external_id and username and display_name and is_email(email)) or max(map(len, cells[:11])) > _SHORT:
        texts = (
            ("external_id", external_id),
            ("username", username),
            ("display_name", display_name),
            ("email", email),
            ("job_title", job),
            ("phone", phone),
            ("site", site),
        )
        for column, value in texts:
            try:
                check_text(column, value)
            except BadInput as error:
                good = False
                table.note(line, column, error.message, error.remedy or "")
    lowered = flag.lower()
    if lowered not in _TRUE and lowered not in _FALSE:
        good = False
        message = _("“%(value)s” does not say whether the person is a manager.", value=flag[:80])
        table.note(line, "is_manager", message, _("Write 1 or 0, true or false, oui or non, yes or no."))
    outside = extra["external"].lower() if "external" in extra else None
    if outside is not None and outside not in _TRUE and outside not in _FALSE:
        good = False
        message = _("“%(value)s” does not say whether the person is from outside.", value=extra["external"][:80])
        table.note(line, "external", message, _("Write 1 or 0, true or false, oui or non, yes or no."))
    if locale and not _LANGUAGE.match(locale):
        good = False
        message = _("“%(value)s” is not a language.", value=locale[:80])
        table.note(line, "locale", message, _("Write fr or en, or leave it blank."))
    if not good:
        return None
    spoken = normalise_locale(locale) or ""
    return PersonRow(
        line,
        external_id,
        username,
        called((display_name, username)),
        email,
        entity,
        job,
        manager,
        lowered in _TRUE,
        spoken,
        phone,
        site,
        None if outside is None else outside in _TRUE,
        others=_several(extra.get("other_entity_ids")),
        assistants=_several(extra.get("assistant_external_ids")),
    )


def _several(cell: str | None) -> tuple[str, ...] | None:
    return None if cell is None else tuple(one.strip() for one in cell.split("|") if one.strip())


def _check(table: Table, line: int, column: str, value: str, limit: int) -> bool:
    if not value:
        table.note(line, column, _("The cell is blank."), _("Fill it in."))
    elif len(value) > limit:
        message = _("The cell has %(count)s characters.", count=len(value))
        table.note(line, column, message, _("Give at most %(limit)s.", limit=limit))
    else:
        return True
    return False


def _twice(table: Table, line: int, column: str, value: str, first: int) -> None:
    message = _("“%(value)s” stands on line %(first)s already.", value=value[:80], first=first)
    table.note(line, column, message, _("Keep one of the two lines, or mend its id."))
