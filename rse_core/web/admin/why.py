"""“Why can't I?” with the whole trail: a person, a capability and perhaps an object, each rule with what it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, render_template, request

from ... import why
from ...decision import Step
from ...errors import BadInput, NotFound, RseError
from ...i18n import Text, _, lazy
from ...levels import Level
from ...people import PersonCard
from ..state import core, session_read
from .base import blueprint, rights

RULES: dict[str, Text] = {
    "person": lazy("The person is known, and the account not disabled"),
    "capability": lazy("A running plugin has this capability"),
    "object": lazy("The object exists, and the person may see it"),
    "plugin": lazy("The plugin is on for this person here"),
    "level": lazy("The level reaches the one that is required"),
    "role": lazy("The space lets this role do it"),
    "archived": lazy("The space is not archived"),
    "charter": lazy("The charter in force is accepted"),
    "suspension": lazy("The person is not suspended"),
    "review": lazy("What is written is shown at once, or waits for a moderator"),
    "decide": lazy("No plugin refuses"),
    "check": lazy("Nothing failed while deciding"),
}
WORDS: dict[str, Text] = {
    "username": lazy("username"), "entity": lazy("entity"), "disabled": lazy("disabled"), "found": lazy("found"),
    "capability": lazy("capability"), "level": lazy("level required"), "default_level": lazy("by default"),
    "shifted": lazy("shifted"), "writes": lazy("writes"), "on": lazy("object"), "visible": lazy("visible to the person"),
    "audience": lazy("audience"), "space": lazy("space"), "sections": lazy("sections"), "plugin": lazy("plugin"),
    "switch": lazy("switch that decides"), "required": lazy("required"), "effective": lazy("the person's"),
    "granted": lazy("granted"), "ceiling": lazy("ceiling"), "cap": lazy("cap of the object"), "who": lazy("open to"),
    "role": lazy("role"), "sees": lazy("sees the space"), "archived": lazy("archived"),
    "in_force": lazy("versions in force"), "missing": lazy("not accepted"), "suspended": lazy("suspended"),
    "until": lazy("until"), "moderated_by": lazy("moderated by"), "code": lazy("code"), "message": lazy("message"),
    "error": lazy("error"),
}  # fmt: skip
LEVELS = frozenset({"level", "default_level", "required", "effective", "granted", "ceiling", "cap"})


@blueprint.get("/why/")
def why_not() -> Response:
    """The form, and the answer once a person and a capability are chosen."""
    typed = {key: (request.args.get(key) or "").strip()[:500] for key in ("person", "capability", "on")}
    answer: why.Answer | None = None
    error: RseError | None = None
    offered: list[PersonCard] = []
    with session_read() as session:
        if typed["person"]:
            try:
                if typed["capability"]:
                    answer = why.ask(session, rights(), typed["person"], typed["capability"], why.object_of(typed["on"]))
                else:
                    offered = why.candidates(session, rights(), typed["person"])
            except (BadInput, NotFound) as refused:
                error = refused
                offered = why.candidates(session, rights(), typed["person"])
        elif typed["capability"]:
            error = BadInput(_("Nobody was chosen."), remedy=_("Type a username, or the beginning of a name."))
    capabilities = sorted((str(one.label), key) for key, one in core().plugins.capabilities.items())
    html = render_template(
        "rse/admin/why.html", typed=typed, answer=answer, error=error, offered=offered, capabilities=capabilities,
        rules=RULES, details=details, Level=Level,
    )  # fmt: skip
    return Response(html, error.status if error else 200)


def details(step: Step) -> list[tuple[str, str]]:
    """What a rule found, as words: what is empty is left out, the rows of the cursor are shown apart."""
    return [
        (str(WORDS.get(key, key)), _shown(key, value))
        for key, value in step.detail.items()
        if key != "rows" and value not in (None, [], "") and not isinstance(value, Mapping)
    ]


def _shown(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if key in LEVELS and isinstance(value, int):
        return str(Level(value).label)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
