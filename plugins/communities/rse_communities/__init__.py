"""Communities, team spaces and projects: who is in, who may do what."""

from .plugin import Communities

plugin = Communities()
