"""What a staged plugin's contributions must fulfil: namespaces, no duplicates, no clash with what is
already there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from .content import ContentType
from .contributions import (
    Capability,
    Cli,
    Consumer,
    HealthCheck,
    Indicator,
    Job,
    Migrations,
    NavItem,
    NotificationType,
    PersonalData,
    Setting,
    Translations,
)
from .levels import Level
from .staging import Staging

_KEY = re.compile(r"[a-z][a-z0-9]*(\.[a-z][a-z0-9_]*)+\Z")
WHO = ("nobody", "managers", "members", "all")
MAIL = ("none", "digest", "immediate")

#: Kinds that have a name of their own, and the attribute that holds it.
NAMED: Mapping[type, str] = {
    Capability: "key",
    ContentType: "name",
    Setting: "key",
    Job: "name",
    Consumer: "name",
    NotificationType: "name",
    Indicator: "name",
    HealthCheck: "name",
    PersonalData: "name",
}
_WORDS: Mapping[type, str] = {
    Capability: "capability",
    ContentType: "content type",
    Setting: "setting",
    Job: "job",
    Consumer: "consumer",
    NotificationType: "notification type",
    Indicator: "indicator",
    HealthCheck: "health check",
    PersonalData: "kind of personal data",
}
_CALLABLES: Mapping[type, tuple[str, ...]] = {
    ContentType: ("resolve",),
    Setting: ("parse",),
    Job: ("run",),
    Consumer: ("run",),
    NotificationType: ("render",),
    HealthCheck: ("check",),
    PersonalData: ("export", "erase"),
}


def check_contributions(staging: Staging, others: Iterable[Staging], core_commands: Callable[[], Iterable[str]]) -> None:
    """Check everything but the web side.

    :param others: what the plugins that have already started contributed.
    :param core_commands: the names of the core's own commands, asked for only when needed.
    :raises PluginError: for the first thing that is wrong.
    """
    others = list(others)
    for kind, attribute in NAMED.items():
        _check_names(staging, kind, attribute, others)
    for kind, attributes in _CALLABLES.items():
        for item in staging.contributions.get(kind, ()):
            for attribute in attributes:
                if not callable(getattr(item, attribute)):
                    raise staging.error(
                        f"gives the {_WORDS[kind]} “{getattr(item, NAMED[kind])}” a {attribute} that cannot be called.",
                        f"Give it a function as {attribute}.",
                    )
    for capability in staging.contributions.get(Capability, ()):
        _check_capability(staging, capability)
    for consumer in staging.contributions.get(Consumer, ()):
        if not isinstance(consumer.events, tuple) or not all(isinstance(e, str) for e in consumer.events):
            raise staging.error(
                f"names the events of the consumer “{consumer.name}” with {consumer.events!r}.",
                'Write a tuple of names, for example ("pages.created",).',
            )
    for kind_of in staging.contributions.get(NotificationType, ()):
        if kind_of.mail not in MAIL:
            raise staging.error(
                f"gives the notification type “{kind_of.name}” the mail default “{kind_of.mail}”.",
                f"Use one of {', '.join(MAIL)}.",
            )
    for job in staging.contributions.get(Job, ()):
        if job.every is not None and job.every <= 0:
            raise staging.error(f"repeats the job “{job.name}” every {job.every} s.", "Use a positive number of seconds.")
    _check_nav(staging, others)
    _check_folders(staging)
    _check_commands(staging, others, core_commands)


def _check_names(staging: Staging, kind: type, attribute: str, others: list[Staging]) -> None:
    taken = {getattr(item, attribute): other.name for other in others for item in other.contributions.get(kind, ())}
    seen: set[str] = set()
    for item in staging.contributions.get(kind, ()):
        key, word = getattr(item, attribute), _WORDS[kind]
        if not isinstance(key, str) or not _KEY.match(key):
            raise staging.error(
                f"has a {word} named “{key}”.",
                f"Write it as “{staging.name}.something”, lower-case letters, digits and underscores.",
            )
        if not key.startswith(f"{staging.name}."):
            raise staging.error(f"has a {word} “{key}” outside its namespace.", f"Begin it with “{staging.name}.”.")
        if key in seen:
            raise staging.error(f"registers the {word} “{key}” twice.", "Keep one of them.")
        if key in taken:
            raise staging.error(f"registers the {word} “{key}”, which “{taken[key]}” has.", "Choose another name.")
        seen.add(key)


def _check_capability(staging: Staging, capability: Capability) -> None:
    if not isinstance(capability.level, Level):
        raise staging.error(
            f"opens the capability “{capability.key}” from {capability.level!r}.",
            "Use a level, for example Level.REACT.",
        )
    if capability.default_who not in WHO:
        raise staging.error(
            f"gives the capability “{capability.key}” the default “{capability.default_who}”.",
            f"Use one of {', '.join(WHO)}.",
        )


def _check_nav(staging: Staging, others: list[Staging]) -> None:
    known = {c.key for one in (staging, *others) for c in one.contributions.get(Capability, ())}
    for item in staging.contributions.get(NavItem, ()):
        if item.capability is not None and item.capability not in known:
            raise staging.error(
                f"shows “{item.endpoint}” to those who have “{item.capability}”, and no started plugin registers that.",
                "Name a capability of this plugin or of one that it requires.",
            )


def _check_folders(staging: Staging) -> None:
    for migrations in staging.contributions.get(Migrations, ()):
        if not (Path(migrations.directory) / "versions").is_dir():
            raise staging.error(
                f"keeps its migrations in {migrations.directory}, where there is no folder versions/.",
                "Name the folder that holds versions/, and include it in the package's data.",
            )
    for translations in staging.contributions.get(Translations, ()):
        wanted = f"rse_{staging.name}"
        if translations.domain != wanted:
            raise staging.error(f"names its catalogue “{translations.domain}”.", f"Name it “{wanted}”.")
        if not Path(translations.directory).is_dir():
            raise staging.error(
                f"keeps its translations in {translations.directory}, which does not exist.",
                "Include the folder in the package's data.",
            )


def _check_commands(staging: Staging, others: list[Staging], core_commands: Callable[[], Iterable[str]]) -> None:
    mine: list[Cli] = staging.contributions.get(Cli, [])
    if not mine:
        return
    import click

    taken: dict[str, str] = dict.fromkeys(core_commands(), "the core")
    for other in others:
        taken.update({str(c.command.name): f"the plugin “{other.name}”" for c in other.contributions.get(Cli, ())})
    for cli in mine:
        command: Any = cli.command
        if not isinstance(command, click.Command) or not command.name:
            raise staging.error(f"adds {command!r} to the command line.", "Give it a click command or group with a name.")
        if command.name in taken:
            raise staging.error(
                f"adds the command “{command.name}”, which {taken[command.name]} has.", "Choose another name."
            )
        taken[command.name] = "this plugin itself"
