"""Make a hand-off token for RSE. Standard library only, Python 3.6 or later."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import sys
import time


def handoff_token(secret, kid, issuer, audience, subject, name=None, return_to=None):
    """Return a token that lets ``subject`` into RSE once, within the next minute."""

    def encode(raw):
        return base64.urlsafe_b64encode(raw).rstrip(b"=")

    now = int(time.time())
    header = {"alg": "HS256", "typ": "JWT", "kid": kid}
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "iat": now,
        "exp": now + 60,
        "jti": secrets.token_hex(16),
    }
    if name:
        claims["name"] = name
    if return_to:
        claims["return_to"] = return_to
    signed = b".".join(encode(json.dumps(part).encode("utf-8")) for part in (header, claims))
    signature = hmac.new(secret.encode("utf-8"), signed, hashlib.sha256).digest()
    return (signed + b"." + encode(signature)).decode("ascii")


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit("usage: handoff.py ISSUER AUDIENCE KID SUBJECT [NAME] [RETURN_TO]")
    issuer, audience, kid, subject = sys.argv[1:5]
    more = [*sys.argv[5:7], None, None]
    print(handoff_token(os.environ["RSE_HANDOFF_SECRET"], kid, issuer, audience, subject, more[0], more[1]))
