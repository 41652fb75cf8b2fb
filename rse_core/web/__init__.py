"""The web side of the core: request state, sign-in, protection, fragments for the legacy page, and the core's pages."""
