"""Cards from elsewhere: what others export, read into one shape, put on a board once, with a line for each thing not
taken."""

from .applying import Report, apply
from .recognising import read
from .shape import Parsed

__all__ = ["Parsed", "Report", "apply", "read"]
