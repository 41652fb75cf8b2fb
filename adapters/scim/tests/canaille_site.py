"""Canaille, an identity provider, that provisions into RSE; run by the Python of an environment of its own.

``python canaille_site.py ADDRESS TOKEN`` answers each line of JSON on its input by a line: what it was asked to do to its
own people and groups, which it then sends on by SCIM.
"""

from __future__ import annotations

import datetime
import json
import sys
import warnings

warnings.simplefilter("ignore")

from canaille import create_app  # noqa: E402
from canaille.app import models  # noqa: E402


def main(address: str, token: str) -> None:
    """Serve until the input ends."""
    app = create_app(
        {
            "SECRET_KEY": "only for this test", "SERVER_NAME": "canaille.test", "TESTING": True, "DATABASE": "memory",
            "CANAILLE": {"LOGGING": {"version": 1, "disable_existing_loggers": False}},
            "CANAILLE_OIDC": {"TRUSTED_DOMAINS": ["127.0.0.1"]},
            "CANAILLE_SCIM": {"ENABLE_CLIENT": True},
        }
    )  # fmt: skip
    backend = app.backend
    with app.app_context(), backend.session():
        client = models.Client(client_id="rse", client_name="RSE", client_uri=address, redirect_uris=[f"{address}/x"])
        backend.save(client)
        # Canaille gives each client a token of its own; here it is the one that RSE made.
        now = datetime.datetime.now(datetime.UTC)
        backend.save(
            models.Token(
                token_id="rse", access_token=token, client=client, subject=None, audience=[client], refresh_token="none",
                scope=["openid"], issue_date=now, lifetime=86_400,
            )
        )  # fmt: skip
        people, groups = {}, {}
        print("ready", flush=True)
        for line in sys.stdin:
            step = json.loads(line)
            name, values = step["name"], step.get("values", {})
            if step["do"] == "user":
                user = people.get(name) or models.User(user_name=name, formatted_name=name, family_name=name)
                for key, value in values.items():
                    setattr(user, key, value)
                if step.get("lock") is not None:
                    user.lock_date = now if step["lock"] else None
                people[name] = user
                backend.save(user)
            elif step["do"] == "group":
                group = groups.get(name) or models.Group(display_name=name)
                group.members = [people[member] for member in step["members"]]
                groups[name] = group
                backend.save(group)
            elif step["do"] == "rename group":
                groups[name].display_name = step["to"]
                backend.save(groups[name])
            else:
                backend.delete(people.pop(name) if step["do"] == "delete user" else groups.pop(name))
            print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
