"""The bell, the mails and the digests of RSE, as each person wants them."""

from .plugin import Notifications

plugin = Notifications()
