"""The intranet's own news and pages for RSE: RSS and Atom, WordPress, MediaWiki, DokuWiki, sitemaps."""

from .plugin import Content

plugin = Content()
