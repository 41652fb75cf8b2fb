"""Boards, columns and cards for teams, moved by mouse, touch, keyboard, menu or many at once."""

from .plugin import Kanban

plugin = Kanban()
