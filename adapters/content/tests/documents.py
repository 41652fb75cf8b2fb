"""Documents as the software writes them, shortened."""

from __future__ import annotations

import json
from typing import Any

SPIP = """<?xml
version="1.0" encoding="utf-8"?><?xml-stylesheet type="text/xsl" href="{origin}/spip.php?page=backend.xslt" ?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel xml:lang="fr"><title>Intranet SPIP</title><link>{origin}/</link><description></description><language>fr</language>
<generator>SPIP - www.spip.net</generator>
{items}
</channel></rss>"""

SPIP_ITEM = """<item xml:lang="fr"><title>R&#233;sultats {n}</title><link>{origin}/spip.php?article{n}</link>
<guid isPermaLink="true">{origin}/spip.php?article{n}</guid><dc:date>2026-11-{day:02}T03:53:43Z</dc:date>
<dc:format>text/html</dc:format><dc:language>fr</dc:language><dc:creator>{creator}</dc:creator>
<description>
&lt;p&gt;Note n&#176;{n} &lt;br class='autobr' /&gt; Bonjour &#224; tous, c'est publi&#233;.&lt;/p&gt;


-
&lt;a href="{origin}/spip.php?rubrique1" rel="directory"&gt;Ressources humaines&lt;/a&gt;
</description></item>"""


def spip(origin: str, numbers: list[int], creator: str = "CPAM du Finistère") -> str:
    items = "\n".join(SPIP_ITEM.format(n=n, day=n, origin=origin, creator=creator) for n in numbers)
    return SPIP.format(origin=origin, items=items)


def rss(*items: str, encoding: str = "utf-8", generator: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0"><channel><title>Intranet</title>'
        f"<generator>{generator}</generator>{''.join(items)}</channel></rss>"
    )


def item(link: str, title: str = "Titre", date: str = "Wed, 25 Nov 2026 08:00:00 +0100", more: str = "") -> str:
    return f"<item><title>{title}</title><link>{link}</link><pubDate>{date}</pubDate>{more}</item>"


MEDIAWIKI_ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr">
<id>{origin}/index.php?title=Sp%C3%A9cial:Modifications_r%C3%A9centes&amp;feed=atom</id><title>Intranet MediaWiki</title>
<generator>MediaWiki 1.39.17</generator><updated>2026-11-25T07:04:27Z</updated>
<entry><id>{origin}/index.php?title=Note_2&amp;diff=5&amp;oldid=3</id><title>Note 2</title>
<link rel="alternate" type="text/html" href="{origin}/index.php?title=Note_2&amp;diff=5&amp;oldid=3"/>
<updated>2026-11-25T07:04:27Z</updated><summary type="html">&lt;p&gt;modifi&#233;&lt;/p&gt;</summary>
<author><name>Admin</name></author></entry>
<entry><id>{origin}/index.php?title=Note_1&amp;action=history</id><title>Note 1</title>
<link rel="alternate" type="text/html" href="{origin}/index.php?title=Note_1&amp;action=history"/>
<updated>2026-11-25T07:04:27Z</updated></entry>
</feed>"""


def post(number: int, origin: str, *, day: int = 20, modified: int | None = None, **values: Any) -> dict[str, Any]:
    """A post as ``/wp-json/wp/v2/posts`` gives it."""
    return {
        "id": number,
        "date_gmt": f"2026-11-{day:02}T08:00:00",
        "modified_gmt": f"2026-11-{modified or day:02}T09:30:00",
        "link": f"{origin}/2026/note-{number}/",
        "title": {"rendered": f"L&#8217;agence n°{number} &#8211; &eacute;t&eacute;"},
        "excerpt": {
            "rendered": '<p>Note &amp; suite&hellip; <a class="more-link" href="#">Lire la suite</a></p>\n',
            "protected": False,
        },
        "_embedded": {
            "author": [{"id": 2, "name": "Direction régionale", "link": f"{origin}/author/dr/"}],
            "wp:term": [[{"taxonomy": "category", "name": "RH", "link": f"{origin}/category/rh/"}], []],
        },
        **values,
    }


def dokuwiki(origin: str, pages: dict[str, tuple[str, str]], *, fault: str = "") -> str:
    """``feed.php?mode=list&type=rss2``: id → (heading, date)."""
    items = "".join(
        f"<item><title>{ident}</title><link>{origin}/doku.php?id={ident}</link><description>{heading}\n\nTexte d&#039;ici."
        f"</description><author>anonymous@undisclosed.example.com (Anonymous)</author><category>actualites</category>"
        f"<pubDate>{date}</pubDate></item>"
        for ident, (heading, date) in pages.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><!-- generator="FeedCreator 1.8" --><rss version="2.0"><channel>'
        f"<title>Intranet DokuWiki</title><generator>FeedCreator 1.8</generator>{items}{fault}</channel></rss>"
    )


def sitemap(*pages: tuple[str, str]) -> str:
    urls = "".join(f"<url><loc>{loc}</loc>{f'<lastmod>{mod}</lastmod>' if mod else ''}</url>" for loc, mod in pages)
    return f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'


def sitemap_index(*lists: str) -> str:
    inner = "".join(f"<sitemap><loc>{loc}</loc></sitemap>" for loc in lists)
    return f'<?xml version="1.0"?><sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{inner}</sitemapindex>'


def dumps(value: Any) -> bytes:
    return json.dumps(value).encode()
