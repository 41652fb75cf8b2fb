"""Markup that many readers share: a bar of reactions, a link, a count. A list asks for dozens of them at each request."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from flask import current_app, request

from ..i18n import current_locale


class KeptMarkup:
    """Keeps what a template made for as long as the process lives, for each language and mount point.

    .. code-block:: python

        kept = KeptMarkup()
        html = kept((ref, count), lambda: render_template("rse/talk/count.html", ref=ref, count=count))

    The key names everything else that the markup depends on. Nothing that one session alone may see belongs into it: the
    fields of a form are put in afterwards, in place of :data:`~rse_core.web.fragments.FIELDS`.

    :param most: how many are kept; all are forgotten when there would be more.
    """

    def __init__(self, most: int = 8_192) -> None:
        self._most = most
        self._made: dict[tuple[Hashable, ...], str] = {}

    def __call__(self, key: tuple[Hashable, ...], make: Callable[[], str]) -> str:
        """The markup of this key, made with ``make`` when it is not there."""
        whole = (current_locale(), request.script_root, *key)
        html = self._made.get(whole)
        if html is None:
            html = make()
            # Who writes a template sees it change.
            if not current_app.debug:
                if len(self._made) >= self._most:
                    self._made.clear()
                self._made[whole] = html
        return html
