"""People and groups that an identity provider sends by SCIM 2.0."""

from .plugin import Scim

plugin = Scim()
