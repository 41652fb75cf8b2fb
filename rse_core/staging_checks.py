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
    DirectorySource,
    HealthCheck,
    Indicator,
    Job,
    LegacySource,
    LiveTopic,
    Migrations,
    NavItem,
    NotificationTransport,
    NotificationType,
    PersonalData,
    Setting,
    TokenScope,
    Translations,
)
from .guiding import Participation, TourStep, Tutorial
from .i18n import Text, lazy
from .levels import Level
from .responsibilities import Responsibility
from .staging import Staging

_KEY = re.compile(r"[a-z][a-z0-9]*(\.[a-z][a-z0-9_]*)+\Z")
WHO = ("nobody", "managers", "members", "all")
MAIL = ("none", "digest", "weekly", "immediate")
LANGUAGES = ("fr", "en")

#: Kinds that have a name of their own, and the attribute that holds it.
NAMED: Mapping[type, str] = {
    Capability: "key",
    ContentType: "name",
    Setting: "key",
    Job: "name",
    LegacySource: "name",
    DirectorySource: "name",
    TokenScope: "name",
    LiveTopic: "name",
    Consumer: "name",
    NotificationType: "name",
    Indicator: "name",
    TourStep: "key",
    Tutorial: "key",
    Participation: "name",
    HealthCheck: "name",
    PersonalData: "name",
    Responsibility: "name",
}
_WORDS: Mapping[type, Text] = {
    Capability: lazy("a capability"),
    ContentType: lazy("a content type"),
    Setting: lazy("a setting"),
    Job: lazy("a job"),
    LegacySource: lazy("a source"),
    DirectorySource: lazy("a directory"),
    TokenScope: lazy("a scope of tokens"),
    LiveTopic: lazy("a topic"),
    Consumer: lazy("a consumer"),
    NotificationType: lazy("a notification type"),
    NotificationTransport: lazy("a way for notifications"),
    Indicator: lazy("an indicator"),
    TourStep: lazy("a step of a tour"),
    Tutorial: lazy("a tutorial"),
    Participation: lazy("a way to take part"),
    HealthCheck: lazy("a health check"),
    PersonalData: lazy("a kind of personal data"),
    Responsibility: lazy("a responsibility"),
}
_CALLABLES: Mapping[type, tuple[str, ...]] = {
    ContentType: ("resolve",),
    Setting: ("parse",),
    Job: ("run",),
    LegacySource: ("read",),
    DirectorySource: ("read",),
    LiveTopic: ("may_listen",),
    Consumer: ("run",),
    NotificationType: ("render",),
    NotificationTransport: ("send",),
    HealthCheck: ("check",),
    Participation: ("people",),
    PersonalData: ("export", "erase"),
    Responsibility: ("left", "give", "take_back"),
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
                        lazy(
                            "gives %(word)s “%(item)s” a %(attribute)s that cannot be called.",
                            word=_WORDS[kind],
                            item=getattr(item, NAMED[kind]),
                            attribute=attribute,
                        ),
                        lazy("Give it a function as %(attribute)s.", attribute=attribute),
                    )
    for capability in staging.contributions.get(Capability, ()):
        _check_capability(staging, capability)
    for consumer in staging.contributions.get(Consumer, ()):
        if not isinstance(consumer.events, tuple) or not all(isinstance(e, str) for e in consumer.events):
            raise staging.error(
                lazy(
                    "names the events of the consumer “%(name)s” with %(events)s.",
                    name=consumer.name,
                    events=repr(consumer.events),
                ),
                lazy('Write a tuple of names, for example ("pages.created",).'),
            )
    for kind_of in staging.contributions.get(NotificationType, ()):
        if kind_of.mail not in MAIL:
            raise staging.error(
                lazy(
                    "gives the notification type “%(name)s” the mail default “%(mail)s”.",
                    name=kind_of.name,
                    mail=kind_of.mail,
                ),
                lazy("Use one of %(list)s.", list=", ".join(MAIL)),
            )
    for job in (*staging.contributions.get(Job, ()), *staging.contributions.get(LegacySource, ())):
        if job.every is not None and job.every <= 0:
            raise staging.error(
                lazy("repeats the job “%(name)s” every %(every)s s.", name=job.name, every=job.every),
                lazy("Use a positive number of seconds."),
            )
    _check_guiding(staging)
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
                lazy("has %(word)s named “%(key)s”.", word=word, key=key),
                lazy("Write it as “%(name)s.something”, lower-case letters, digits and underscores.", name=staging.name),
            )
        if not key.startswith(f"{staging.name}."):
            raise staging.error(
                lazy("has %(word)s “%(key)s” outside its namespace.", word=word, key=key),
                lazy("Begin it with “%(name)s.”.", name=staging.name),
            )
        if key in seen:
            raise staging.error(lazy("registers %(word)s “%(key)s” twice.", word=word, key=key), lazy("Keep one of them."))
        if key in taken:
            raise staging.error(
                lazy("registers %(word)s “%(key)s”, which “%(taken)s” has.", word=word, key=key, taken=taken[key]),
                lazy("Choose another name."),
            )
        seen.add(key)


def _check_capability(staging: Staging, capability: Capability) -> None:
    if not isinstance(capability.level, Level):
        raise staging.error(
            lazy("opens the capability “%(key)s” from %(level)s.", key=capability.key, level=repr(capability.level)),
            lazy("Use a level, for example Level.REACT."),
        )
    if capability.default_who not in WHO:
        raise staging.error(
            lazy(
                "gives the capability “%(key)s” the default “%(default_who)s”.",
                key=capability.key,
                default_who=capability.default_who,
            ),
            lazy("Use one of %(list)s.", list=", ".join(WHO)),
        )


def _check_guiding(staging: Staging) -> None:
    own = {capability.key for capability in staging.contributions.get(Capability, ())}
    for step in staging.contributions.get(TourStep, ()):
        if not step.capability and isinstance(step.level, Level) and step.level > Level.INFORM:
            continue
        if step.capability not in own or step.level is not None:
            raise staging.error(
                lazy(
                    "tells of “%(capability)s” in the step “%(key)s”, which is no capability of its own.",
                    capability=step.capability,
                    key=step.key,
                ),
                lazy("Name one of its capabilities, or no capability and a level above Level.INFORM."),
            )
    for tutorial in staging.contributions.get(Tutorial, ()):
        missing = [lang for lang in LANGUAGES if not tutorial.file(lang).is_file()]
        if missing or not isinstance(tutorial.level, Level) or tutorial.level == Level.INFORM:
            raise staging.error(
                lazy("brings the tutorial “%(key)s” without all that it needs.", key=tutorial.key),
                lazy(
                    "Give it a level above Level.INFORM, and the files %(files)s in the package's data.",
                    files=", ".join(str(tutorial.file(lang)) for lang in LANGUAGES),
                ),
            )


def _check_nav(staging: Staging, others: list[Staging]) -> None:
    known = {c.key for one in (staging, *others) for c in one.contributions.get(Capability, ())}
    for item in staging.contributions.get(NavItem, ()):
        if item.capability is not None and item.capability not in known:
            raise staging.error(
                lazy(
                    "shows “%(endpoint)s” to those who have “%(capability)s”, and no started plugin registers that.",
                    endpoint=item.endpoint,
                    capability=item.capability,
                ),
                lazy("Name a capability of this plugin or of one that it requires."),
            )


def _check_folders(staging: Staging) -> None:
    for migrations in staging.contributions.get(Migrations, ()):
        if not (Path(migrations.directory) / "versions").is_dir():
            raise staging.error(
                lazy(
                    "keeps its migrations in %(directory)s, where there is no folder versions/.",
                    directory=migrations.directory,
                ),
                lazy("Name the folder that holds versions/, and include it in the package's data."),
            )
    for translations in staging.contributions.get(Translations, ()):
        wanted = f"rse_{staging.name}"
        if translations.domain != wanted:
            raise staging.error(
                lazy("names its catalogue “%(domain)s”.", domain=translations.domain),
                lazy("Name it “%(wanted)s”.", wanted=wanted),
            )
        if not Path(translations.directory).is_dir():
            raise staging.error(
                lazy("keeps its translations in %(directory)s, which does not exist.", directory=translations.directory),
                lazy("Include the folder in the package's data."),
            )


def _check_commands(staging: Staging, others: list[Staging], core_commands: Callable[[], Iterable[str]]) -> None:
    mine: list[Cli] = staging.contributions.get(Cli, [])
    if not mine:
        return
    import click

    taken: dict[str, Text] = dict.fromkeys(core_commands(), lazy("the core"))
    for other in others:
        owner = lazy("the plugin “%(name)s”", name=other.name)
        taken.update({str(c.command.name): owner for c in other.contributions.get(Cli, ())})
    for cli in mine:
        command: Any = cli.command
        if not isinstance(command, click.Command) or not command.name:
            raise staging.error(
                lazy("adds %(command)s to the command line.", command=repr(command)),
                lazy("Give it a click command or group with a name."),
            )
        if command.name in taken:
            raise staging.error(
                lazy("adds the command “%(name)s”, which %(taken)s has.", name=command.name, taken=taken[command.name]),
                lazy("Choose another name."),
            )
        taken[command.name] = lazy("this plugin itself")
