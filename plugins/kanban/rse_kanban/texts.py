"""Short and long texts as they are kept."""

from __future__ import annotations

from rse_core.api import BadInput, translator
from rse_core.richtext import clean

_ = translator(__file__, "rse_kanban").gettext


def check_name(text: str, field: str, most: int) -> str:
    """A short text of one line. :raises BadInput: names the field."""
    text = " ".join(str(text).split())
    if not text or len(text) > most or not text.isprintable():
        message = _("Write 1 to %(most)s characters.", most=str(most))
        raise BadInput(message, fields={field: message})
    return text


def check_text(text: str, field: str, most: int) -> str:
    """A text of several lines, as it is kept. :raises BadInput: names the field."""
    text = clean(str(text))
    if len(text) > most:
        message = _("Write at most %(most)s characters.", most=str(most))
        raise BadInput(message, fields={field: message})
    return text
