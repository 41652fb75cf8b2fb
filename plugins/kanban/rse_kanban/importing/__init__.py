"""Cards from elsewhere: what others export, read into one shape, put on a board once, with a line for each thing not
taken."""

from . import later
from .applying import Report, apply
from .recognising import read
from .shape import AT_ONCE, Parsed

__all__ = ["AT_ONCE", "Parsed", "Report", "apply", "later", "read"]
