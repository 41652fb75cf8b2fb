"""The REST shell: OpenAPI 3.1, problem+json, tokens with scopes, pages by cursor, idempotency keys."""
