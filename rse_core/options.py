"""Settings of plugins that a site administrator changes while the site runs; read without a query.

The values are kept beside the policy's version: a change reaches every process within two seconds, as a level does.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .audit import Actor, record
from .contributions import Setting
from .db import utcnow
from .errors import BadInput, NotFound
from .models.runtime import SettingRow
from .policy import touch

if TYPE_CHECKING:
    from .runtime import Core


class Options:
    """The present values; one per :class:`~rse_core.runtime.Core`."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._values: dict[str, Any] = {}
        self._parsed: dict[str, Any] = {}
        self._version = -1

    def known(self) -> dict[str, Setting]:
        """Every setting that a plugin registered, by key."""
        return {setting.key: setting for _plugin, setting in self.core.plugins.contributions(Setting)}

    def get(self, session: Session, key: str) -> Any:
        """The value of a setting, its default when it was never changed; parsed once, so that nobody may change it.

        :raises NotFound: for a key that no plugin registered.
        """
        self._read()
        parsed, values = self._parsed, self._values
        if key not in parsed:
            setting = self._setting(key)
            parsed[key] = setting.parse(values.get(key, setting.default))
        return parsed[key]

    def stored(self, key: str) -> Any:
        """What stands in the row of this key, as it was written; None where there is none. For the core's own rows."""
        self._read()
        return self._values.get(key)

    def set(self, session: Session, key: str, value: Any, actor: Actor, *, why: str = "") -> Any:
        """Change a setting; the value in force after it.

        :raises BadInput: from the setting's own ``parse``.
        :raises NotFound: for a key that no plugin registered.
        """
        setting = self._setting(key)
        now = setting.parse(value)
        touch(session)
        row = session.get(SettingRow, key)
        before = setting.default if row is None else row.value
        if row is None:
            row = SettingRow(key=key)
            session.add(row)
        row.value, row.changed_at, row.changed_by = value, utcnow(), actor.label
        record(session, actor, "setting.set", key, before=before, after=value, why=why)
        if setting.changed is not None:
            setting.changed(session, self._parsed_or_default(setting, before), now)
        return now

    @staticmethod
    def _parsed_or_default(setting: Setting, stored: Any) -> Any:
        try:
            return setting.parse(stored)
        except BadInput:
            # What an older version took and this one does not must still give way to what is right.
            return setting.parse(setting.default)

    def _read(self) -> None:
        version = self.core.policy.version()
        if version != self._version:
            # In a session of its own: the caller's may have begun before the change, and on SQLite would see what was then
            # there, which would be taken for what is there now. At worst this is read once more.
            with self.core.db.read() as session:
                rows = session.execute(select(SettingRow.key, SettingRow.value)).all()
            self._values, self._parsed = {key: value for key, value in rows}, {}
            self._version = version

    def _setting(self, key: str) -> Setting:
        known = self.known()
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else None
            raise NotFound(f"No setting is called “{key}”.", remedy=hint)
        return known[key]


def option(session: Session, key: str) -> Any:
    """The present value of a setting: ``option(session, "likes.reactions")``."""
    from .runtime import core_of

    return core_of(session).options.get(session, key)
