"""Posts, announcements and what happens elsewhere, in one feed for each person."""

from .plugin import Feed

plugin = Feed()
