from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from tracking.network_drawing import network_svg


@pytest.mark.parametrize(("count", "thawed", "u_shaped"), [(9, (1, 2, 9), True), (4, (4,), False)])
def test_thawed_blocks_are_filled(count: int, thawed: tuple[int, ...], u_shaped: bool) -> None:
    root = ElementTree.fromstring(network_svg([10**k for k in range(count)], thawed, "<mask>", u_shaped))
    boxes = root.findall("rect")
    assert [place for place, box in enumerate(boxes, 1) if box.get("fill") != "#fff"] == list(thawed)
    assert len(boxes) == count and root.findtext("title") == "<mask>"
    assert ("stroke-dasharray" in {key for path in root.iter("path") for key in path.attrib}) is u_shaped
