"""What a directory said, as checked rows that the importer compares like those of files."""

from __future__ import annotations

from ..contributions import DirectoryPerson, DirectoryReading
from ..errors import BadInput
from ..i18n import _, normalise_locale
from ..organisation import MAX_KEY, MAX_NAME
from ..people import called, check_text
from .report import LineError
from .rows import EntityRow, GroupRow, Parsed, PersonRow

_CHECKED = ("external_id", "username", "display_name", "email", "job_title", "phone", "site")


def parsed_of(source: str, reading: DirectoryReading, *, adopts: frozenset[str] = frozenset()) -> Parsed:
    """Check each entry by itself; those that cannot be taken are left out with an error.

    :param source: the source's name: people keep it, and only its own are changed.
    :param adopts: other sources whose people it takes over.
    """
    parsed = Parsed(
        source, source, source, {}, None, None, [], set(), 0, set(), source=source, complete=reading.complete,
        adopts=frozenset({"local"}) | adopts,
    )  # fmt: skip
    for fault in reading.faults:
        parsed.errors.append(LineError(fault.where, 0, fault.field, fault.message, fault.remedy))
        if fault.external_id:
            parsed.present.add(fault.external_id)
    if reading.entities is not None:
        _entities(reading, parsed)
    _people(reading, parsed)
    if reading.groups is not None:
        _groups(reading, parsed)
    return parsed


def _entities(reading: DirectoryReading, parsed: Parsed) -> None:
    found: dict[str, EntityRow] = {}
    for one in reading.entities or ():
        problem = _problem(one.key, MAX_KEY) or _problem(one.name, MAX_NAME)
        if not problem and one.key in found:
            problem = _("“%(value)s” is the id of another entity too.", value=one.key[:80])
        if problem:
            parsed.errors.append(LineError(one.where or parsed.source, 0, "entity", problem, _("Mend the entry.")))
            if one.key not in found:
                parsed.refused_entities.add(one.key)
            continue
        found[one.key] = EntityRow(0, one.key, one.name, one.parent, one.where)
    parsed.refused_entities.difference_update(found)
    parsed.entities = found


def _people(reading: DirectoryReading, parsed: Parsed) -> None:
    usernames: dict[str, str] = {}
    for one in reading.people:
        if one.external_id:
            parsed.present.add(one.external_id)
        else:
            parsed.anonymous += 1
        wrong = _wrong(one, parsed, usernames)
        if wrong:
            field, message = wrong
            remedy = _("Mend the entry, or leave it out by the filter.")
            parsed.errors.append(LineError(one.where or parsed.source, 0, field, message, remedy))
            continue
        usernames[one.username] = one.where or one.external_id
        name = called((one.display_name, one.username))
        parsed.people[one.external_id] = PersonRow(
            0, one.external_id, one.username, name, one.email, one.entity, one.job_title, one.manager,
            one.is_manager, normalise_locale(one.locale) or "" if one.locale else "", one.phone, one.site, one.external,
            one.where, one.others, one.assistants,
        )  # fmt: skip


def _wrong(one: DirectoryPerson, parsed: Parsed, usernames: dict[str, str]) -> tuple[str, str] | None:
    for name in _CHECKED:
        try:
            check_text(name, getattr(one, name))
        except BadInput as error:
            return name, error.message
    if one.external_id in parsed.people:
        other = parsed.people[one.external_id].where
        return "external_id", _("“%(value)s” is the id of %(other)s too.", value=one.external_id[:80], other=other or "?")
    if one.username in usernames:
        other = usernames[one.username]
        return "username", _("“%(value)s” is the username of %(other)s too.", value=one.username[:80], other=other)
    return None


def _groups(reading: DirectoryReading, parsed: Parsed) -> None:
    found: dict[str, GroupRow] = {}
    for one in reading.groups or ():
        problem = _problem(one.key, MAX_KEY) or _problem(one.name, MAX_NAME)
        if not problem and one.key in found:
            problem = _("“%(value)s” is the id of another group too.", value=one.key[:80])
        if problem:
            parsed.errors.append(LineError(one.where or parsed.source, 0, "group", problem, _("Mend the entry.")))
            continue
        found[one.key] = GroupRow(0, one.key, one.name, dict.fromkeys(one.members, 0), one.where)
    parsed.groups = found


def _problem(value: str, most: int) -> str:
    if not value:
        return _("The id or the name is blank.")
    if len(value) > most or not value.isprintable():
        return _("“%(value)s” is too long, or has characters that cannot be shown.", value=value[:80])
    return ""
