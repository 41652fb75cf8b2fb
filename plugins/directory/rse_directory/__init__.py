"""The directory of people: search, profiles, expertise and the organisation chart."""

from .plugin import Directory

plugin = Directory()
