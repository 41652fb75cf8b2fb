"""Search in posts, comments, spaces, people and pages, trimmed to what one may see."""

from .plugin import Search

plugin = Search()
