"""A corpus of awkward pages, each with the one place where a script tag may go.

A page is written with :data:`HERE` at that place; a page without it must come through untouched.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

HERE = b"@@HERE@@"


@dataclass(frozen=True)
class AwkwardPage:
    """One page as the intranet sends it, and what must become of it."""

    name: str
    marked: bytes
    content_type: str = "text/html; charset=utf-8"
    regular_head: bool = False
    """A real ``<head>`` start tag and a real ``</head>``: any correct rewriter finds the same place."""

    @property
    def body(self) -> bytes:
        """The bytes the intranet sends."""
        return self.marked.replace(HERE, b"")

    @property
    def receives_script(self) -> bool:
        """Whether the page has a place for the tag."""
        return HERE in self.marked

    def with_tag(self, tag: bytes) -> bytes:
        """Return the bytes the reader must get when ``tag`` is the inserted script."""
        return self.marked.replace(HERE, tag)


_DOC = b"<!DOCTYPE html><html lang=fr>"
_END = b"<body><h1>Note</h1><p>Texte</p></body></html>"


def _head(inside: bytes, name: str, content_type: str = "text/html; charset=utf-8") -> AwkwardPage:
    return AwkwardPage(name, _DOC + b"<head>" + inside + HERE + b"</head>" + _END, content_type, regular_head=True)


def _page(name: str, marked: bytes, content_type: str = "text/html; charset=utf-8") -> AwkwardPage:
    return AwkwardPage(name, marked, content_type)


_BIG_PARAGRAPH = b"<p>Lorem ipsum &agrave; tous, page longue.</p>\r\n"

AWKWARD_PAGES: tuple[AwkwardPage, ...] = (
    _head(b"<title>Note</title>", "ordinary"),
    _head(b"", "empty head"),
    _head(b"<!-- </head> --><title>x</title>", "head end in a comment"),
    _head(b"<!--[if lt IE 9]><script src=a.js></script></head><![endif]-->", "conditional comment"),
    _head(b"<!--[if !IE]><!--><link rel=a href=b><!--<![endif]-->", "downlevel-revealed conditional comment"),
    _head(b"<!--><title>x</title><!--->", "comments closed at once"),
    _head(b"<!-- a -- b --!><title>x</title>", "comment closed by a bang"),
    _head(b"<!-- a <!-- b --><title>x</title>", "comment opener inside a comment"),
    _head(b"<script>var s = '</head>';</script>", "head end in a script string"),
    _head(b"<script><!--\nif (a < b) document.write('<script></head></script>');\n--></script>", "script hidden"),
    _head(b"<script><!-- <script> </script> </head> --></script>", "double-escaped script"),
    _head(b"<script><!--></script><title>x</title>", "script with an empty comment"),
    _head(b"<SCRIPT TYPE='text/javascript'>x</head></ScRiPt\n>", "script end in mixed case"),
    _head(b"<script src='a>b.js'></script>", "greater-than in an attribute"),
    _head(b"<title>How to close a </head></title>", "head end in a title"),
    _head(b"<title>a <!-- b </title>", "comment opener in a title"),
    _head(b"<style>/* </head> <!-- */ p > a { color: red }</style>", "head end in a style"),
    _head(b"<meta name=d content='</head>'><meta name=e content=\"</head>\">", "head end in attributes"),
    _head(b"<meta name=d content=</head>><title>x</title>", "unquoted attribute that looks like a tag"),
    _head(b"<meta a\"b='c'd=\"e\"'f=g = h><title>x</title>", "attributes with stray quotes"),
    _head(b"<noscript><link rel=s href=n.css></noscript>", "noscript in the head"),
    _head(b"<noscript><!-- </head> --></noscript>", "noscript with a commented head end"),
    _head(b"<template><div></div></template><title>x</title>", "template in the head"),
    _head(b"<base href='http://ancien.example/'>", "base href"),
    _head(b"<meta http-equiv=refresh content='0; url=/autre'>", "meta refresh"),
    _head(b"<link rel=a href=b/><meta charset=utf-8/>", "self-closed void tags"),
    _head(b"<![CDATA[ x ]]><title>x</title>", "CDATA in HTML"),
    _head(b"<?php echo 1 ?><title>x</title>", "unexecuted processing instruction"),
    _head(b"</ x><//><title>x</title>", "bogus end tags"),
    _head(b"\r\n\t\x0c <title>\r\n</title>\r\n", "carriage returns and form feeds"),
    _head("<title>Télétravail, cœur, 10 €</title>".encode("cp1252"), "cp1252", "text/html; charset=windows-1252"),
    _head("<title>Œuvre à 5 €</title>".encode("iso-8859-15"), "ISO-8859-15", "text/html; charset=ISO-8859-15"),
    _head("<title>Été</title>".encode("latin-1"), "ISO-8859-1 declared nowhere", "text/html"),
    _head("<title>表ソ能</title>".encode("shift_jis"), "Shift_JIS", "text/html; charset=shift_jis"),
    _head(b"<title>\xff\xfe\x80</title>", "invalid UTF-8 in the title"),
    _page("uppercase tags", b"<!DOCTYPE HTML><HTML><HEAD><TITLE>X</TITLE>@@HERE@@</HEAD><BODY>x</BODY></HTML>"),
    _page("spaces in the head end", _DOC + b"<head>@@HERE@@</head \n>" + _END),
    _page("attributes on the head end", _DOC + b"<head>@@HERE@@</head a='>'>" + _END),
    _page("two heads", _DOC + b"<head><title>a</title>@@HERE@@</head><head><title>b</title></head>" + _END),
    _page("second head in the body", _DOC + b"<head>@@HERE@@</head><body><head></head><p>x</body></html>"),
    _page("no head", _DOC + b"@@HERE@@<body><p>x</p></body></html>"),
    _page("no head and no html", b"@@HERE@@<body bgcolor=white><p>x</p></body>"),
    _page("no head end", _DOC + b"<head><title>x</title>@@HERE@@<body><p>x</p>"),
    _page("no head end and no body", _DOC + b"<head><title>x</title>@@HERE@@<h1>x</h1><p>y"),
    _page("title and text only", b"<TITLE>Old</TITLE>\n@@HERE@@<H1>Old</H1><P>One<P>Two"),
    _page("doctype and text only", b"<!DOCTYPE html>\n@@HERE@@Bonjour"),
    _page("head content only", b"<!DOCTYPE html><title>x</title>@@HERE@@"),
    _page("paragraph strayed into the head", _DOC + b"<head><p>Oh</p>@@HERE@@</head>" + _END),
    _page("text before the doctype", b"Warning: x in y.php\n" + _DOC + b"<head>@@HERE@@</head>" + _END),
    _page("head end inside a template", _DOC + b"<head><template></head><body></template>@@HERE@@</head>" + _END),
    _page("svg before the body", _DOC + b"@@HERE@@<svg><title></head></title></svg>" + _END),
    _page(
        "XML declaration and XHTML",
        b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "x">'
        b'<html xmlns="http://www.w3.org/1999/xhtml"><head><title/>x</title>@@HERE@@</head><body/></html>',
    ),
    _page("UTF-8 byte order mark", b"\xef\xbb\xbf" + _DOC + b"<head><title>x</title>@@HERE@@</head>" + _END),
    _page("null bytes", _DOC + b"<head>\0<title>a\0b</title>@@HERE@@</head><body>\0</body></html>"),
    _page("less-than as text", _DOC + b"<head><title>x</title>@@HERE@@</head><body>1 < 2 <3 <</body>"),
    _page("select around xmp", _DOC + b"<head>@@HERE@@</head><body><select><xmp></select></xmp></body></html>"),
    _page(
        "misnested and unclosed",
        _DOC + b"<head>@@HERE@@</head><body><ul><li><i>a<li>b</i></ul><p><b>c<p>d</b>",
    ),
    _page("comment never closed in the body", _DOC + b"<head>@@HERE@@</head><body><p>x<!-- y</body></html>"),
    _page(
        "article that shows the tag",
        _DOC + b"<head>@@HERE@@</head><body><pre>&lt;script src=/rse/embed.js></pre>",
    ),
    _page(
        "tag quoted in a comment",
        _DOC + b"<head><!--<script src=/rse/embed.js></script>-->@@HERE@@</head>" + _END,
    ),
    _page(
        "ten megabytes",
        _DOC + b"<head><title>x</title>@@HERE@@</head><body>" + _BIG_PARAGRAPH * 220_000 + b"</body>",
    ),
    # From here on nothing may be inserted.
    _page("tag already there", _DOC + b"<head><script src=/rse/embed.js></script></head>" + _END),
    _page(
        "tag already there, in the body",
        _DOC + b"<head></head><body><script defer SRC='/rse/embed.js?v=1'></script>",
    ),
    _page(
        "tag already there, whole address",
        _DOC + b"<head></head><script src=https://i.test/rse/embed.js></script>",
    ),
    _page(
        "frameset",
        b"<html><head><title>x</title></head><frameset cols=20%,*><frame src=a><frame src=b></frameset>",
    ),
    _page(
        "frameset after a comment",
        b"<html><head></head>\n<!-- a --><FRAMESET rows=*><frame src=a></FRAMESET></html>",
    ),
    _page("frameset without a head", b"<html><frameset><frame src=a></frameset></html>"),
    _page("fragment for a script", b"<li>One</li><li>Two</li>"),
    _page("JSON labelled as HTML", b'{"a": "</head>"}'),
    _page("text labelled as HTML", b"user-agent: *\n"),
    _page("empty", b""),
    _page("blank", b" \r\n\t"),
    _page("comment only", b"<!-- built by cron -->"),
    _page("title never closed", _DOC + b"<head><title>x</head><body>y"),
    _page("script never closed", _DOC + b"<head><script>x = 1</head><body>y"),
    _page("cut inside a tag", _DOC + b"<head><meta name='a"),
    _page("UTF-16 with mark", codecs.BOM_UTF16_LE + "<html><head></head><body>".encode("utf-16-le")),
    _page("UTF-16 by header", "<html><head></head>".encode("utf-16-be"), "text/html; charset=UTF-16BE"),
    _page("UTF-7", _DOC + b"<head></head>" + _END, "text/html; charset=utf-7"),
    _page("picture labelled as HTML", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0<a><b>\xde"),
    _page("PDF labelled as HTML", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n<< /Type /Catalog >> <html>"),
    _page("plain text", b"<html><head></head><body>", "text/plain; charset=utf-8"),
    _page(
        "XHTML as XML",
        b"<html xmlns='http://www.w3.org/1999/xhtml'><head></head></html>",
        "application/xhtml+xml",
    ),
    _page("download", b"<html><head></head></html>", "application/octet-stream"),
)
