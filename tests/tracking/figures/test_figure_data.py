from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

from PIL import Image

from tests.tracking.made_up import summary_of
from tracking.figures.figure_data import curves_of, figure_files, score_limits
from tracking.record import SweepRecord
from tracking.summary.sweep import summarise


def test_files_are_whole_images_that_need_no_page(record: SweepRecord) -> None:
    files = figure_files(summary_of(record))
    assert sorted(files) == [f"{name}.{kind}" for name in ("comparisons", "cost") for kind in ("png", "svg")]
    for name, content in files.items():
        if name.endswith(".svg"):
            root = ElementTree.fromstring(content)
            assert root.tag.endswith("svg") and root.get("width")
            assert b"SYNTHETIC DATA" in content and b"inherit" not in content
        else:
            image = Image.open(io.BytesIO(content)).convert("RGB")
            assert image.width > 1500 and image.getpixel((2, 2)) == (255, 255, 255)


def test_the_same_numbers_are_the_same_files(record: SweepRecord) -> None:
    assert figure_files(summary_of(record)) == figure_files(summary_of(replace(record)))


def test_nothing_finished_is_no_file(record: SweepRecord) -> None:
    assert figure_files(summarise(replace(record, trials=()))) == {}


def test_an_order_that_nobody_asked_for_is_no_curve(record: SweepRecord) -> None:
    trials = tuple(
        replace(one, info=replace(one.info, orders=(*one.info.orders, ("outer-first", len(one.info.blocks)))))
        for one in record.trials
    )
    asked = replace(record.info, spec={"search": {"orders": ["shallow-first", "outer-first"]}})
    plain, more = (curves_of(summarise(replace(record, trials=trials, info=info))) for info in (record.info, asked))
    assert [curve.order for curve in plain] == ["shallow-first", "deep-first"]
    assert [curve.order for curve in more] == ["shallow-first", "deep-first", "outer-first"]
    assert plain[0].masks[4] == "1-5"


def test_one_scale_holds_every_fold_of_both(record: SweepRecord) -> None:
    found = summary_of(record)
    limits = score_limits([found, found])
    assert limits is not None
    folds = [value for trial in found.trials if trial.epochs == 12 for value in trial.dice.folds]
    assert limits[0] < min(folds) and max(folds) < limits[1]
    assert score_limits([summarise(replace(record, trials=()))]) is None
