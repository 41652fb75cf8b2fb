"""A plain, top-down intranet: head office publishes, staff read.

An ordinary small Flask application of the kind that many organisations own. It does not know that anything
will ever be added to its pages, and must stay so: the point of the example is that no line of it changes.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, time
from importlib.resources import files

from flask import Flask, Response, abort, render_template, request

from rse_example_intranet import news_feed
from rse_example_intranet.content import Page, load_pages, search_pages

NEWS_PER_PAGE = 8

#: Pages kept as they were written, byte for byte: address -> (file, content type sent by the old server).
OLD_PAGES = {
    "/archives/2003/passage-a-l-euro.html": ("passage-a-l-euro.html", "text/html; charset=ISO-8859-15"),
    "/archives/2005/oeuvres-sociales.html": ("oeuvres-sociales.html", "text/html"),
    "/divers/plan-acces.html": ("plan-acces.html", "text/html; charset=utf-8"),
}


def create_intranet(*, canonical_origin: str | None = None) -> Flask:
    """Build the intranet.

    :param canonical_origin: scheme and host written in ``<link rel="canonical">``; the request's own by
        default. Give another one to play an intranet whose canonical links name an internal host.
    """
    app = Flask("rse_example_intranet", static_url_path="/assets", static_folder="static/intranet")
    pages = load_pages()
    by_path = {page.path: page for page in pages}
    by_number = {page.number: page for page in pages}
    news = sorted((p for p in pages if p.section == "actualites"), key=lambda p: p.published, reverse=True)

    def show(page: Page) -> Response:
        related = [other for other in news if other.category == page.category and other is not page][:3]
        html = render_template("intranet/page.html", page=page, related=related if page.category else [])
        response = Response(html, content_type="text/html; charset=utf-8")
        response.last_modified = datetime.combine(page.published, time(9), tzinfo=UTC)
        response.add_etag()
        response.cache_control.no_cache = True
        response.make_conditional(request)
        return response

    @app.context_processor
    def address() -> dict[str, object]:
        origin = canonical_origin or request.host_url.rstrip("/")
        return {"canonical": lambda path: origin + path, "here": request.path, "question": ""}

    @app.get("/")
    def home() -> str:
        return render_template("intranet/home.html", first=news[0], news=news[1:7])

    @app.get("/actualites/")
    def news_list() -> str:
        last = (len(news) - 1) // NEWS_PER_PAGE + 1
        number = request.args.get("page", 1, type=int)
        if not 1 <= number <= last:
            abort(404)
        start = (number - 1) * NEWS_PER_PAGE
        return render_template("intranet/news.html", news=news[start : start + NEWS_PER_PAGE], number=number, last=last)

    @app.get("/actualites.rss")
    def rss() -> Response:
        origin = canonical_origin or request.host_url.rstrip("/")
        response = Response(news_feed.render(news, origin), content_type=news_feed.CONTENT_TYPE)
        response.add_etag()
        response.make_conditional(request)
        return response

    @app.get("/page")
    def by_id() -> Response:
        page = by_number.get(request.args.get("id", 0, type=int))
        return show(page) if page else abort(404)

    @app.get("/<any(rh, organisation, english):section>/")
    def section_index(section: str) -> str:
        found = [page for page in pages if page.section == section]
        return render_template("intranet/section.html", section=section, pages=found, lang=found[0].lang)

    @app.get("/archives/")
    def archives() -> str:
        return render_template("intranet/archives.html")

    @app.get("/recherche")
    def search() -> str:
        question = request.args.get("q", "").strip()[:200]
        return render_template("intranet/search.html", question=question, hits=search_pages(pages, question))

    @app.get("/plan-du-site")
    def site_map() -> str:
        return render_template("intranet/site_map.html", pages=pages, old=OLD_PAGES)

    @app.get("/<path:path>")
    def any_page(path: str) -> Response:
        if f"/{path}" in OLD_PAGES:
            name, content_type = OLD_PAGES[f"/{path}"]
            return Response((files(__package__) / "old" / name).read_bytes(), content_type=content_type)
        page = by_path.get("/" + path.rstrip("/"))
        return show(page) if page else abort(404)

    @app.errorhandler(404)
    def missing(_: Exception) -> tuple[str, int]:
        return render_template("intranet/missing.html"), 404

    return app


def main() -> None:
    """Serve the intranet alone, on loopback: ``python -m rse_example_intranet.app --port 8080``."""
    parser = argparse.ArgumentParser(description="The plain intranet, as it was before anything was added.")
    parser.add_argument("--port", type=int, default=8080)
    create_intranet().run("127.0.0.1", parser.parse_args().port, use_reloader=False)


if __name__ == "__main__":
    main()
