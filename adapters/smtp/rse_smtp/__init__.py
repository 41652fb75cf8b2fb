"""Mails of RSE by SMTP."""

from .plugin import Smtp

plugin = Smtp()
