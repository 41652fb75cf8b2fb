"""People, entities and groups from LDAP and Active Directory."""

from .plugin import Ldap

plugin = Ldap()
