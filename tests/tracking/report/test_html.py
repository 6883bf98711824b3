from __future__ import annotations

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from tracking.report.html import document, figure, fill, image, paragraph, section, table

NASTY = "<script>alert('1')</script> & \"more\""


@pytest.mark.parametrize(
    "part",
    [
        table([NASTY], [[NASTY]], NASTY, True, "sortable"),
        figure(NASTY, b"<svg></svg>", NASTY, True, "there"),
        image(b"png", NASTY, NASTY, True),
        paragraph(NASTY),
        section(NASTY, [paragraph(NASTY)]),
        Markup(document(NASTY, [paragraph(NASTY)], True)),
    ],
    ids=["table", "figure", "image", "paragraph", "section", "document"],
)
def test_whatever_is_given_is_escaped(part: Markup) -> None:
    assert (
        "<script>alert" not in part and "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &#34;more&#34;" in part
    )


def test_drawings_and_parts_go_in_as_they_stand() -> None:
    assert figure("", b"<svg></svg>", "", False).startswith("<figure>\n<svg></svg>\n<figcaption></figcaption>")
    assert "<p>1 &lt; 2</p>" in document("title", [paragraph("1 < 2")], False)


def test_a_section_without_parts_is_nothing() -> None:
    assert not section("title", [Markup()]) and "<h2>title</h2>\n<p>a</p>" in section("title", [paragraph("a")])


def test_synthetic_is_said_in_title_body_and_caption() -> None:
    page = document("title", [table(["a"], [], "caption", True)], True, broad=True)
    assert "<title>title (SYNTHETIC DATA)</title>" in page and "<body class=synthetic>" in page
    assert (
        '<caption><div><span class="tag">SYNTHETIC DATA</span> caption</div></caption>' in page
        and "<main class=broad>" in page
    )
    assert "SYNTHETIC" not in document("title", [table(["a"], [], "caption", False)], False)


def test_style_and_script_are_inside_as_they_are_written() -> None:
    page = document("title", [], False)
    assert 'content: " ↑"' in page and 'name.replace(/-\\d+$/, "")' in page and "&lt;" not in page


def test_a_name_that_a_template_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'headline' is undefined"):
        fill("head.html", kicker="a", sentence="b")
