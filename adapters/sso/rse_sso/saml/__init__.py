"""SAML 2: an extra, ``rse-sso[saml]``. Nothing here is imported unless ``saml`` is among the sources."""
