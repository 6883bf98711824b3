"""Take the curve out of a report page of a synthetic sweep: `python docs/image.py report.html curve.svg`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def picture(page: str) -> str:
    """The page's first drawing as a file of its own, on white, since a README is also read on dark pages.

    Raises `SystemExit` when the page is not of synthetic data: images of other data have owners.
    """
    found = re.search(r"<svg\b([^>]*)>(.*?)</svg>", page, re.DOTALL)
    if found is None or "SYNTHETIC DATA" not in found[2]:
        raise SystemExit(
            "The first drawing of the page must be stamped SYNTHETIC DATA: give the embedded sweep's report."
        )
    attributes = re.sub(r'\s(?:xmlns(?::xlink)?|style)="[^"]*"', "", found[1])
    font = "font-family: sans-serif; background: white"
    return f'<svg {NAMESPACES}{attributes} style="{font}">{found[2]}</svg>\n'


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(picture(Path(sys.argv[1]).read_text(encoding="utf-8")), encoding="utf-8")
