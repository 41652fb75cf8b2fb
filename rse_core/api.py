"""The public names of the core: what plugins, adapters and vendors import. Everything else may change without notice."""

from __future__ import annotations

from .audit import Actor, record
from .content import ContentInfo, ContentType, Handling, ObjectRef
from .contributions import (
    Activity,
    Asset,
    Capability,
    Cli,
    Consumer,
    DigestLine,
    DirectoryEntity,
    DirectoryFault,
    DirectoryGroup,
    DirectoryPerson,
    DirectoryPhoto,
    DirectoryReading,
    DirectorySource,
    HealthCheck,
    HealthResult,
    Indicator,
    Job,
    LegacySource,
    LiveTopic,
    Migrations,
    NavItem,
    NotificationTransport,
    NotificationType,
    OutgoingMessage,
    PersonalData,
    Publication,
    Review,
    SearchDocument,
    Setting,
    SlotItem,
    SpaceChange,
    TokenScope,
    Translations,
    Veto,
    Viewer,
)
from .db import Key, UtcDateTime, dialect_insert, plugin_base, utcnow
from .decision import Decision, Mode, Reason
from .errors import (
    BadInput,
    ConfigError,
    Conflict,
    Forbidden,
    NotFound,
    PluginError,
    RseError,
    SignInNeeded,
    TooMany,
    Undeliverable,
)
from .events import Event, emit
from .guiding import Participation, TourStep, Tutorial
from .i18n import LazyText, Text, current_locale, translator, use_locale
from .identity import Identity, IdentityRefused, IdentitySource
from .jobs import defer
from .levels import Level, parse_level
from .live import say_changed
from .notify import notify, withdraw
from .objects import resolve, seen
from .options import option
from .plugin import Manifest, Plugin, hookimpl
from .policy import Question, Target, can, open_audiences, require
from .responsibilities import Left, Passing, Responsibility
from .runtime import Core, core_of
from .writings import Discarded, Finding, Writing, discard, examine

__all__ = [
    "Activity", "Actor", "Asset", "BadInput", "can", "Capability", "Cli", "ConfigError", "Conflict", "Consumer",
    "ContentInfo", "ContentType", "Core", "core_of", "current_locale", "Decision", "defer", "dialect_insert",
    "DigestLine", "DirectoryEntity", "DirectoryFault", "DirectoryGroup", "DirectoryPerson", "DirectoryPhoto",
    "DirectoryReading", "DirectorySource", "discard", "Discarded", "emit", "Event", "examine", "Finding", "Forbidden",
    "Handling", "HealthCheck", "HealthResult", "hookimpl", "Identity", "IdentityRefused", "IdentitySource", "Indicator",
    "Job", "Key", "LazyText", "Left", "LegacySource", "Level", "LiveTopic", "Manifest", "Migrations", "Mode", "NavItem",
    "NotFound", "NotificationTransport", "NotificationType", "notify", "ObjectRef", "open_audiences", "option",
    "OutgoingMessage", "parse_level", "Participation", "Passing", "PersonalData", "Plugin", "plugin_base",
    "PluginError", "Publication", "Question", "Reason", "record", "require", "resolve", "Responsibility", "Review",
    "RseError", "say_changed", "SearchDocument", "seen", "Setting", "SignInNeeded", "SlotItem", "SpaceChange", "Target",
    "Text", "TokenScope", "TooMany", "TourStep", "Translations", "translator", "Tutorial", "Undeliverable",
    "use_locale", "UtcDateTime", "utcnow", "Veto", "Viewer", "withdraw", "Writing",
]  # fmt: skip
