"""What an import would do: the difference between the files and the database, and what is wrong across lines.

Nothing is written here. A line that turns out bad is left out, which can make others bad in turn (a
username that its holder
does not give up after all), so the checks run until nothing more is found.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..i18n import _, ngettext
from . import ties
from .existing import Existing, PersonNow
from .report import LineError, Report
from .rows import EntityRow, GroupRow, Parsed, PersonRow

#: A larger share of the active people of source ``csv`` is not disabled without being told to.
MASS_DISABLE_PERCENT = 10


@dataclass(slots=True)
class Plan:
    """What is to be written."""

    new_entities: list[EntityRow] = field(default_factory=list)
    changed_entities: list[EntityRow] = field(default_factory=list)
    new_people: list[PersonRow] = field(default_factory=list)
    changed_people: list[tuple[PersonNow, PersonRow]] = field(default_factory=list)
    disabled: list[PersonNow] = field(default_factory=list)
    #: people who have left and whose username goes to somebody else
    released: list[PersonNow] = field(default_factory=list)
    new_groups: list[GroupRow] = field(default_factory=list)
    changed_groups: list[GroupRow] = field(default_factory=list)
    #: groups of source ``csv`` that are in the file no longer: their members go
    emptied_groups: list[str] = field(default_factory=list)


class Planner:
    """Compares what was read with what stands."""

    def __init__(self, parsed: Parsed, existing: Existing, report: Report, *, keep_going: bool) -> None:
        self.parsed, self.existing, self.report, self.keep_going = parsed, existing, report, keep_going
        self.source = parsed.source
        self.people = dict(parsed.people)
        self.entities = dict(parsed.entities or {})
        self.plan = Plan()
        self._bad: set[str] = set(parsed.refused_entities)

    def make(self, *, allow_mass_disable: bool) -> Plan:
        """The plan; the report gets the counts and errors."""
        self.report.errors.extend(self.parsed.errors)
        self._check_entities()
        self._plan_entities()
        self._check_own_source()
        self._check_entity_of_people()
        while self._check_usernames() or self._check_managers() or self._check_manager_cycles():
            pass
        ties.check(self, self._stays)
        self._plan_people(allow_mass_disable)
        self._plan_groups()
        order = {self.parsed.entities_file: 0, self.parsed.people_file: 1, self.parsed.groups_file: 2}
        self.report.errors.sort(key=lambda error: (order.get(error.file, 0), error.line))
        return self.plan

    # Entities

    def _check_entities(self) -> None:
        file = self.parsed.entities_file
        while True:
            known = self.existing.entities.keys() | self.entities.keys()
            lost = [row for row in self.entities.values() if row.parent and row.parent not in known]
            for row in lost:
                if row.parent in self._bad:
                    message = _("The line of the parent “%(key)s” was refused.", key=row.parent)
                    self._follows(file, row.line, "parent_id", message, _("Mend that line first."))
                else:
                    message = _("There is no entity “%(key)s”.", key=row.parent[:80])
                    remedy = _("Add a line for it, or leave the cell blank for an entity at the top.")
                    self._error(file, row.line, "parent_id", message, remedy)
                self._bad.add(row.key)
                del self.entities[row.key]
            if not lost and not self._check_entity_cycles():
                return

    def _check_entity_cycles(self) -> bool:
        parents = {key: now.parent for key, now in self.existing.entities.items()}
        parents.update({row.key: row.parent for row in self.entities.values()})
        cycles = _cycles(parents)
        for cycle in cycles:
            row = max((self.entities[key] for key in cycle if key in self.entities), key=lambda r: r.line)
            message = _("The entity stands below itself: %(chain)s.", chain=_chain(cycle, row.key))
            remedy = _("Give one of them another parent.")
            self._error(self.parsed.entities_file, row.line, "parent_id", message, remedy)
            self._bad.add(row.key)
            del self.entities[row.key]
        return bool(cycles)

    def _plan_entities(self) -> None:
        counts = self.report.entities
        if self.parsed.entities is None:
            return
        for row in self.entities.values():
            now = self.existing.entities.get(row.key)
            if now is None:
                self.plan.new_entities.append(row)
            elif (now.name, now.parent) != (row.name, row.parent):
                self.plan.changed_entities.append(row)
            else:
                counts.unchanged += 1
        counts.created, counts.updated = len(self.plan.new_entities), len(self.plan.changed_entities)
        counts.kept = len(self.existing.entities.keys() - self.parsed.entities.keys() - self._bad)

    # People

    def note(self, row: PersonRow, column: str, message: str, remedy: str) -> None:
        """Note what is wrong with one cell; the person is taken without it."""
        self._error(row.where or self.parsed.people_file, row.line, column, message, remedy)

    def _refuse(self, row: PersonRow, column: str, message: str, remedy: str) -> None:
        self._error(row.where or self.parsed.people_file, row.line, column, message, remedy)
        self.people.pop(row.external_id, None)

    def _check_own_source(self) -> None:
        for row in list(self.people.values()):
            now = self.existing.people.get(row.external_id)
            if now is not None and now.source != self.source and now.source not in self.parsed.adopts:
                if self.source == "csv":
                    message = _("This person is kept up to date by “%(source)s”, not by files.", source=now.source)
                    self._refuse(row, "external_id", message, _("Leave the line out."))
                    continue
                message = _(
                    "This person (%(id)s) is kept up to date by “%(source)s”, not by “%(here)s”.",
                    id=row.external_id[:80], source=now.source, here=self.source,
                )  # fmt: skip
                remedy = _("Leave the entry out, or take these people over with --adopt %(source)s.", source=now.source)
                self._refuse(row, "external_id", message, remedy)

    def _check_entity_of_people(self) -> None:
        known = self.existing.entities.keys() | self.entities.keys()
        for row in list(self.people.values()):
            if row.entity and row.entity not in known:
                if row.entity in self._bad:
                    message = _("The line of the entity “%(key)s” was refused.", key=row.entity)
                    file, remedy = self.parsed.people_file, _("Mend that line first.")
                    self._follows(file, row.line, "entity_id", message, remedy)
                    del self.people[row.external_id]
                else:
                    message = _("There is no entity “%(key)s”.", key=row.entity[:80])
                    remedy = _("Add a line for it to the file of entities, or mend the id.")
                    self._refuse(row, "entity_id", message, remedy)

    def _check_usernames(self) -> bool:
        found = False
        for row in list(self.people.values()):
            holder = self.existing.by_username.get(row.username)
            if holder is None or holder.external_id == row.external_id or holder.external_id in self.people:
                continue
            if holder.status != "active" or self._leaves(holder):
                continue
            found = True
            message = _(
                "The username “%(name)s” belongs to somebody else (%(id)s).",
                name=row.username,
                id=holder.external_id,
            )
            remedy = _("Give another username, or change theirs first.")
            if holder.external_id in self.parsed.people:
                self._follows(self.parsed.people_file, row.line, "username", message, remedy)
                del self.people[row.external_id]
            else:
                self._refuse(row, "username", message, remedy)
        return found

    def _check_managers(self) -> bool:
        found = False
        for row in list(self.people.values()):
            if not row.manager or row.manager in self.people or self._stays(row.manager):
                continue
            found = True
            if row.manager in self.parsed.present:
                message = _(
                    "The line of the manager “%(id)s” was refused; the person is taken without a manager.",
                    id=row.manager,
                )
                file, remedy = self.parsed.people_file, _("Mend that line first.")
                self._follows(file, row.line, "manager_external_id", message, remedy)
                row.manager = ""
            else:
                message = _("There is no person “%(id)s”.", id=row.manager[:80])
                if self.source == "csv":
                    remedy = _("Add a line for the manager, or leave the cell blank.")
                    self._refuse(row, "manager_external_id", message, remedy)
                    continue
                # A directory keeps managers that have left, or that its filters do not let through.
                remedy = _("The person is taken without a manager.")
                self._error(row.where or self.parsed.people_file, row.line, "manager", message, remedy)
                row.manager = ""
        return found

    def _check_manager_cycles(self) -> bool:
        managers = {key: now.manager for key, now in self.existing.people.items()}
        managers.update({row.external_id: row.manager for row in self.people.values()})
        found = False
        for cycle in _cycles(managers):
            rows = [self.people[key] for key in cycle if key in self.people]
            if not rows:
                # An old cycle among people of other sources is not this file's concern.
                continue
            found = True
            row = max(rows, key=lambda r: r.line)
            message = _("The person is their own manager: %(chain)s.", chain=_chain(cycle, row.external_id))
            remedy = _("Give one of them another manager, or leave the cell blank.")
            self._refuse(row, "manager_external_id", message, remedy)
        return found

    def _leaves(self, now: PersonNow) -> bool:
        said = self.parsed.complete and not self.parsed.anonymous
        return said and self._own(now) and now.external_id not in self.parsed.present

    def _own(self, now: PersonNow) -> bool:
        """Whether they can leave by being missing here; whoever is taken over is this source's from now on."""
        return now.source == self.source

    def _stays(self, external_id: str) -> bool:
        now = self.existing.people.get(external_id)
        return now is not None and now.status == "active" and not self._leaves(now)

    def _plan_people(self, allow_mass_disable: bool) -> None:
        counts, plan = self.report.people, self.plan
        for row in self.people.values():
            now = self.existing.people.get(row.external_id)
            if now is None:
                plan.new_people.append(row)
            elif now.status != "active" or now.source != self.source or now.facts != facts(row) or _outside(row, now) or (
                ties.differ(row, now)
            ):
                plan.changed_people.append((now, row))
            else:
                counts.unchanged += 1
            holder = self.existing.by_username.get(row.username)
            if holder is not None and holder.external_id not in self.people:
                plan.released.append(holder)
        active = [p for p in self.existing.people.values() if self._own(p) and p.status == "active"]
        if not self.parsed.complete:
            # What was not read says nothing of anybody.
            plan.disabled = []
        elif self.parsed.anonymous:
            if any(p.external_id not in self.parsed.present for p in active):
                note = _("Nobody is disabled, because some lines do not say whom they are about.")
                self.report.notes.append(note)
        else:
            plan.disabled = [p for p in active if p.external_id not in self.parsed.present]
        counts.created, counts.updated = len(plan.new_people), len(plan.changed_people)
        counts.disabled = len(plan.disabled)
        counts.kept = sum(
            1
            for p in self.existing.people.values()
            if p.external_id not in self.parsed.present and not (p.source == self.source and p.status == "active")
        )
        too_many = len(plan.disabled) * 100 > len(active) * MASS_DISABLE_PERCENT
        if too_many and not allow_mass_disable:
            numbers = {"count": len(plan.disabled), "active": len(active), "percent": MASS_DISABLE_PERCENT}
            if self.source == "csv":
                message = _(
                    "%(count)s of %(active)s people are missing from the file and would be disabled, "
                    "more than %(percent)s %%.",
                    **numbers,
                )
                remedy = _("Check that the file is complete; use --allow-mass-disable if they have really left.")
            else:
                message = _(
                    "%(count)s of %(active)s people are missing from the directory and would be disabled, more than "
                    "%(percent)s %%.", **numbers,
                )  # fmt: skip
                remedy = _("Check what its filters let through; use --allow-mass-disable if they have really left.")
            self._error(self.parsed.people_file, 0, "", message, remedy)
            self.report.refused = True

    # Groups

    def _plan_groups(self) -> None:
        if self.parsed.groups is None:
            return
        counts, plan = self.report.groups, self.plan
        others = 0
        for row in self.parsed.groups.values():
            now = self.existing.groups.get(row.key)
            for external_id, line in list(row.members.items()):
                if external_id not in self.people and not self._stays(external_id):
                    del row.members[external_id]
                    if self.source != "csv":
                        others += 1
                        continue
                    message = _("There is no active person “%(id)s”.", id=external_id[:80])
                    remedy = _("Add a line for them to the file of people, or take this line away.")
                    self._error(row.where or self.parsed.groups_file, line, "external_id", message, remedy)
            if now is None:
                plan.new_groups.append(row)
            elif now.source not in (self.source, *self.parsed.adopts):
                message = _("The group “%(key)s” is kept by “%(source)s”.", key=row.key[:80], source=now.source)
                self._error(row.where or self.parsed.groups_file, row.line, "", message, _("Give it another id."))
            elif (now.name, now.source) != (row.name, self.source) or now.members.keys() != row.members.keys():
                plan.changed_groups.append(row)
            else:
                counts.unchanged += 1
        if others:
            self.report.notes.append(
                ngettext(
                    "%(num)s membership of a group is of nobody who was read; it was left out.",
                    "%(num)s memberships of groups are of nobody who was read; they were left out.", others,
                )
            )  # fmt: skip
        for key, now in self.existing.groups.items():
            if key not in self.parsed.groups:
                counts.kept += 1
                if now.source == self.source and now.members and self.parsed.complete:
                    plan.emptied_groups.append(key)
        counts.created, counts.updated = len(plan.new_groups), len(plan.changed_groups)

    def _follows(self, file: str, line: int, column: str, message: str, remedy: str) -> None:
        """An error that only follows from another line's: told when the good lines are taken all the same."""
        if self.keep_going:
            self._error(file, line, column, message, remedy)

    def _error(self, file: str, line: int, column: str, message: str, remedy: str) -> None:
        self.report.errors.append(LineError(file, line, column, message, remedy))


def facts(row: PersonRow) -> tuple[object, ...]:
    """What is compared with :attr:`PersonNow.facts`."""
    return (
        row.username,
        row.display_name,
        row.email,
        row.entity,
        row.job_title,
        row.manager,
        row.is_manager,
        row.locale,
        row.phone,
        row.site,
    )


def _outside(row: PersonRow, now: PersonNow) -> bool:
    """Whether the file says otherwise than is known where the person is from."""
    return row.external is not None and row.external is not now.external


def _cycles(above: dict[str, str]) -> list[list[str]]:
    """The cycles of a map from each node to the one above it ("" for none), each as the list of its nodes."""
    done: set[str] = set()
    cycles = []
    for start in above:
        trail: dict[str, int] = {}
        node = start
        while node and node not in done and node not in trail:
            trail[node] = len(trail)
            node = above.get(node, "")
        if node in trail:
            cycles.append(list(trail)[trail[node] :])
        done.update(trail)
    return cycles


def _chain(cycle: list[str], start: str) -> str:
    """``a → b → a``, shortened when long."""
    turn = cycle.index(start)
    chain = [*cycle[turn:], *cycle[:turn], start]
    if len(chain) > 8:
        chain = [*chain[:4], "…", *chain[-3:]]
    return " → ".join(chain)
