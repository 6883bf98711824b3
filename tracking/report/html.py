"""The parts that every page is made of: document, figure, table, and the stamp on synthetic data."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from tracking.figures.canvas import STAMP
from tracking.report.html_style import CSS, SCRIPT


def document(title: str, parts: Iterable[str], synthetic: bool, broad: bool = False) -> str:
    """A whole page: styles and script inside, nothing loaded; `broad` for two columns."""
    head = f"{title} ({STAMP})" if synthetic else title
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(head)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{CSS}</style>\n</head>\n<body{' class=synthetic' if synthetic else ''}>\n"
        f"<main{' class=broad' if broad else ''}>\n"
        + "\n".join(part for part in parts if part)
        + f"\n</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def figure(title: str, svg: bytes, caption: str, synthetic: bool, anchor: str = "") -> str:
    """A drawing with its caption; with a title, a section of its own, to which `anchor` links."""
    head = f"<h2>{escape(title)}</h2>\n" if title else ""
    body = f"<figure>\n{svg.decode()}\n<figcaption>{tag(synthetic)}{escape(caption)}</figcaption>\n</figure>"
    mark = f' id="{anchor}"' if anchor else ""
    return f"<section{mark}>\n{head}{body}\n</section>" if title else body


def image(png: bytes, alt: str, caption: str, synthetic: bool) -> str:
    """A PNG inside the page, with its caption."""
    return (
        f'<figure>\n<img alt="{escape(alt)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">\n'
        f"<figcaption>{tag(synthetic)}{escape(caption)}</figcaption>\n</figure>"
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], caption: str, synthetic: bool, kind: str = "") -> str:
    """A table of text; `kind` "sortable" sorts by a click on a head, "filterable" offers the values of column order."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f'<div class="wide"><table class="{kind}">\n<caption>{tag(synthetic)}{escape(caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def tag(synthetic: bool) -> str:
    """The stamp as it stands before a caption."""
    return f'<span class="tag">{STAMP}</span> ' if synthetic else ""
