"""Moderation, reports, word rules, charters, suspensions and what is kept about people."""

from .plugin import Governance

plugin = Governance()
