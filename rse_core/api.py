"""The public names of the core: what plugins, adapters and vendors import. Everything else may change without notice."""

from __future__ import annotations

from .audit import Actor, record
from .content import ContentInfo, ContentType, ObjectRef
from .contributions import (
    Asset,
    Capability,
    Cli,
    Consumer,
    HealthCheck,
    HealthResult,
    Indicator,
    Job,
    Migrations,
    NavItem,
    NotificationType,
    PersonalData,
    Review,
    SearchDocument,
    Setting,
    SlotItem,
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
)
from .events import Event, emit
from .i18n import LazyText, Text, current_locale, translator, use_locale
from .identity import Identity, IdentityRefused, IdentitySource
from .jobs import defer
from .levels import Level, parse_level
from .notify import notify, withdraw
from .objects import resolve, seen
from .options import option
from .plugin import Manifest, Plugin, hookimpl
from .policy import Question, Target, can, require
from .runtime import Core, core_of

__all__ = [
    "Actor", "Asset", "BadInput", "can", "Capability", "Cli", "ConfigError", "Conflict", "Consumer", "ContentInfo",
    "ContentType", "Core", "core_of", "current_locale", "Decision", "defer", "dialect_insert", "emit", "Event",
    "Forbidden", "HealthCheck", "HealthResult", "hookimpl", "Identity", "IdentityRefused", "IdentitySource",
    "Indicator", "Job", "Key", "LazyText", "Level", "Manifest", "Migrations", "Mode", "NavItem", "NotFound",
    "NotificationType", "notify", "ObjectRef", "option", "parse_level", "PersonalData", "Plugin", "plugin_base",
    "PluginError", "Question", "Reason", "record", "require", "resolve", "Review", "RseError", "SearchDocument", "seen",
    "Setting", "SignInNeeded", "SlotItem", "Target", "Text", "TooMany", "Translations", "translator", "use_locale",
    "UtcDateTime", "utcnow", "Veto", "Viewer", "withdraw",
]  # fmt: skip
