from __future__ import annotations

import csv
import io
import json
import math
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests.tracking.made_up import (
    conv_record,
    record_trial,
    repeated,
    sweep_info,
    trial_info,
    trial_record,
)
from tracking.record import SweepRecord
from tracking.report.formats import render_two
from tracking.statistics import corrected_t
from tracking.store.writer import Tracker
from tracking.summary.two_sweeps import SweepDifference, TwoSweeps, compare_sweeps, subtract
from trainer.errors import UserError


def halves(two: TwoSweeps) -> SweepDifference:
    """How far contracting - expanding of the two sweeps are apart."""
    assert two.difference.contracting_vs_expanding is not None
    return two.difference.contracting_vs_expanding


TRAIN, TEST = [128] * 5, [32] * 5
Thaw = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def other() -> SweepRecord:
    """The same masks on other data, where deep is better."""
    info = replace(sweep_info("chest", synthetic=False), data={**sweep_info(synthetic=False).data, "digest": "c" * 64})
    trials = []
    for depth in range(1, 10):
        for order in ("shallow-first", "deep-first")[: 1 if depth == 9 else 2]:
            one = trial_record(trial_info(order, depth, 12))
            sign = -0.1 if order == "shallow-first" else 0.1
            folds = tuple(0.8 + sign + 0.01 * k for k in range(5))
            trials.append(replace(one, folds={**one.folds, "dice": tuple(np.add(folds, one.folds["dice"]) / 2)}))
    return SweepRecord(info, "run 2", "FINISHED", "2026-11-23T07:00:00+00:00", tuple(trials))


def test_without_correction_it_is_welchs_t_test() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.1, 0.02, 5), rng.normal(0.05, 0.05, 5)
    plain = stats.ttest_ind(first, second, equal_var=False)
    found = subtract(*(corrected_t(list(one), TRAIN, [0] * 5) for one in (first, second)))
    assert (found.mean, found.t, found.p) == pytest.approx(
        (first.mean() - second.mean(), plain.statistic, plain.pvalue)
    )
    assert (found.low, found.high) == pytest.approx(tuple(plain.confidence_interval(0.95)))
    assert found.p_above + found.p_within + found.p_below == pytest.approx(1)


def test_without_an_interval_on_one_side_there_is_none() -> None:
    found = subtract(corrected_t([0.1] * 5, TRAIN, TEST), corrected_t([0.1, 0.2, 0.1, 0.3, 0.2], TRAIN, TEST))
    assert math.isnan(found.low) and "same difference" in found.note


def test_opposite_directions_are_said(record: SweepRecord, other: SweepRecord) -> None:
    found = compare_sweeps(record, other)
    assert found.finding == "the direction depends on the data"
    one = halves(found)
    assert one.low > 0 and one.p_holm >= one.p
    assert halves(compare_sweeps(other, record)).mean == pytest.approx(-one.mean)
    assert any("Synthetic data (demo)" in note for note in found.notes)
    assert "demo is not finished." in found.notes


def test_the_same_scores_show_no_dependence(record: SweepRecord) -> None:
    found = compare_sweeps(record, replace(record, info=replace(record.info, name="again"), run_id="run 2"))
    assert found.finding == "no dependence on the settings shown"
    assert any("same images" in note for note in found.notes)


def test_on_the_same_folds_the_best_masks_are_compared_too(record: SweepRecord, other: SweepRecord) -> None:
    spec = {**record.info.spec, "model": {"path": "keras:MobileNetV2"}}
    better = replace(
        record,
        info=replace(record.info, name="encoder", spec=spec),
        run_id="run 2",
        trials=tuple(
            replace(one, folds={**one.folds, "dice": tuple(value + 0.1 for value in one.folds["dice"])})
            for one in record.trials
        ),
    )
    found = compare_sweeps(record, better)
    assert found.best is not None and found.best.sweeps[0].sweep == "encoder"
    assert found.best.pairs[0].apparent == pytest.approx(0.1)
    assert found.finding == "no dependence on the network shown"
    for text in (render_two(found), render_two(found, "markdown")):
        assert found.best.sentence in text.replace("&#39;", "'")
    assert compare_sweeps(record, other).best is None


def test_nothing_in_common_is_no_verdict(record: SweepRecord, other: SweepRecord) -> None:
    assert "No verdict yet" in compare_sweeps(record, replace(other, trials=other.trials[:1])).sentence


def test_blocks_against_convolutions_on_the_same_images(record: SweepRecord) -> None:
    found = compare_sweeps(record, conv_record())
    one = halves(found)
    both = [one.mean for one in (found.pairs[0].first, found.pairs[0].second) if one is not None]
    assert one.mean == pytest.approx(both[0] - both[1]) and math.isnan(one.p_holm) is False
    assert found.difference.area_between_curves is None
    assert found.finding is not None and "what masks count" in found.finding and "the data" not in found.finding
    notes = " ".join(found.notes)
    assert "in demo contracting is blocks 1-5, expanding 6-9; in convolutions contracting is convolutions 1-9" in notes
    page = render_two(found)
    assert "number of tuned blocks" in page and "number of tuned convolutions" in page


def test_the_noise_of_both_adds_in_squares(record: SweepRecord) -> None:
    left, right = repeated(record), repeated(record, (3, 4))
    found = compare_sweeps(left, replace(right, run_id="run 2", info=replace(right.info, name="again")))
    sds = [one.noise.sd for one in (found.pairs[0].first, found.pairs[0].second) if one is not None and one.noise]
    noise = halves(found).noise
    assert noise is not None and noise.sd == pytest.approx(math.sqrt(sds[0] ** 2 + sds[1] ** 2))


def test_the_page_and_the_other_formats_carry_the_same_numbers(record: SweepRecord, other: SweepRecord) -> None:
    two = compare_sweeps(record, other)
    page, text = render_two(two), render_two(two, "markdown")
    found = json.loads(render_two(two, "json"))
    mean = f"{found['difference']['contracting_vs_expanding']['mean']:+.4f}"
    assert mean in page and mean in text and found["sentence"] in text
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids)) and "SYNTHETIC DATA" in page and len(page) < 3_000_000
    assert not re.search(r"@import|url\((?!#)|src=", page)
    rows = list(csv.DictReader(io.StringIO(render_two(two, "csv"))))
    assert {(row["sweep"], row["synthetic"]) for row in rows} == {("demo", "true"), ("chest", "false")}
    with pytest.raises(UserError, match="Unknown report format"):
        render_two(two, "pdf")


@pytest.mark.slow
def test_from_the_command_line(thaw_here: Thaw, tracker: Tracker, tmp_path: Path) -> None:
    assert tracker.artifacts is not None
    for name, folds in (("one", 5), ("two", 5), ("three", 3)):
        info = sweep_info(name)
        sweep = tracker.open_sweep(replace(info, folds=info.folds[:folds], labels=info.labels[:folds]))
        for mask in (trial_info("shallow-first", 5), trial_info("deep-first", 4)):
            record_trial(tracker, sweep, mask)
    home = tracker.artifacts.parent
    (home / "home.json").write_text('{"version": 1}')
    done = thaw_here("report", "one", "two", "--out", tmp_path / "both", "--home", home)
    assert done.returncode == 0, done.stderr
    assert "one against two" in (tmp_path / "both" / "report.html").read_text()
    both = {f"{name}.{kind}" for name in ("figure-4-curve", "comparisons") for kind in ("svg", "png")}
    assert {path.name for path in (tmp_path / "both").iterdir()} == {"report.html"} | both
    svg = (tmp_path / "both" / "figure-4-curve.svg").read_text()
    assert all(text in svg for text in (">one<", ">two<")) and svg.count("SYNTHETIC DATA") == 2
    refused = thaw_here("report", "one", "three", "--home", home)
    assert refused.returncode == 2 and "'one' has 5 and 'three' has 3" in refused.stderr
    alone = thaw_here("report", "one", "--format", "markdown", "--out", tmp_path / "one", "--home", home)
    assert alone.returncode == 0
    drawn = {path.name for path in (tmp_path / "one").iterdir()}
    assert drawn == {"report.md"} | {
        f"{name}.{kind}"
        for name in ("figure-2-network", "figure-4-curve", "comparisons", "cost")
        for kind in ("svg", "png")
    }
