"""A Django site with django-activity-stream: the feed of what a person follows, 20 actions a page.

It stands in the same database as the posts it is filled from, in tables of its own. ``python activity_site.py`` makes
and fills them; gunicorn serves ``activity_site:make()``. Both need ``BENCH_PEER_ENGINE`` and ``BENCH_PEER_NAME``.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import django
from django.conf import settings

if not settings.configured:
    engine = os.environ["BENCH_PEER_ENGINE"]
    settings.configure(
        DEBUG=False, SECRET_KEY="for a measurement only", ALLOWED_HOSTS=["127.0.0.1"], USE_TZ=True, SITE_ID=1,
        ROOT_URLCONF="activity_site", DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sites", "actstream"],
        DATABASES={"default": {
            "ENGINE": f"django.db.backends.{engine}", "NAME": os.environ["BENCH_PEER_NAME"], "CONN_MAX_AGE": None,
            "USER": os.environ.get("BENCH_PEER_USER", ""), "HOST": os.environ.get("BENCH_PEER_HOST", ""),
            "PORT": os.environ.get("BENCH_PEER_PORT", ""), "PASSWORD": os.environ.get("BENCH_PEER_PASSWORD", ""),
        }},
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": [(
            "django.template.loaders.cached.Loader",
            [("django.template.loaders.locmem.Loader", {"feed.html": (
                '<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Feed</title></head><body><main>'
                "{% for action in page %}<article><h2>{{ action.actor.last_name }}</h2>"
                "<p><time>{{ action.timestamp|date:'c' }}</time> {{ action.target.name }}</p>"
                "<div>{{ action.description }}</div></article>{% endfor %}"
                "</main></body></html>"
            )})],
        )]}}],
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    )  # fmt: skip
    django.setup()

from actstream.models import user_stream
from actstream.registry import register
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

register(User, Group)

#: From RSE's tables to those of the site: a space is a group that its members follow, a post an action on it.
FILL = (
    "INSERT INTO auth_user (id, username, last_name, first_name, email, password, is_superuser, is_staff, is_active,"
    " date_joined) SELECT id, username, substr(display_name, 1, 150), '', '', '', {false}, {false}, {true}, created_at"
    " FROM rse_core_person",
    "INSERT INTO auth_group (id, name) SELECT id, key FROM rse_core_space",
    "INSERT INTO actstream_follow (user_id, content_type_id, object_id, actor_only, flag, started)"
    " SELECT person_id, {group}, CAST(space_id AS varchar(255)), {false}, '', since FROM rse_core_space_member",
    "INSERT INTO actstream_action (actor_content_type_id, actor_object_id, verb, description, target_content_type_id,"
    " target_object_id, timestamp, public)"
    " SELECT {user}, CAST(author_id AS varchar(255)), 'posted', body, {group}, CAST(space_id AS varchar(255)), published_at,"
    " {true} FROM rse_feed_post WHERE space_id IS NOT NULL",
)


def feed(request: HttpRequest) -> HttpResponse:
    """The newest 20 actions, or those after them (``page``), on what the person follows."""
    user = User.objects.get(username=request.headers["X-Bench-Person"])
    first = (int(request.GET.get("page", "1")) - 1) * 20
    return render(request, "feed.html", {"page": user_stream(user)[first : first + 20]})


urlpatterns = [path("", feed)]


def make() -> Any:
    """The WSGI application."""
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def fill() -> None:
    """Make the tables and fill them, unless that was done."""
    call_command("migrate", verbosity=0)
    if User.objects.exists():
        return
    kinds = {model: ContentType.objects.get_for_model(model).pk for model in (User, Group)}
    postgres = connection.vendor == "postgresql"
    words = {"false": "false" if postgres else "0", "true": "true" if postgres else "1",
             "user": kinds[User], "group": kinds[Group]}  # fmt: skip
    with connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement.format(**words))
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    sys.modules["activity_site"] = sys.modules["__main__"]
    fill()
