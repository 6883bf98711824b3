"""Somebody else's predictions beside a sweep's trials: the numbers of an independent computation; wrong folds
caught.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sweeps.commands.referee import DIGEST_TAG
from sweeps.environment.home import open_home
from tests.conftest import Thaw
from tracking.image_archive import Images, unpack_images
from tracking.record import TrialInfo
from tracking.store.writer import Tracker
from trainer.candidate import Candidate


@pytest.fixture(scope="module")
def home(smoke_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield Path(shutil.copytree(smoke_home, tmp_path_factory.mktemp("referee") / "home"))


def report(thaw: Thaw, home: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(thaw("report", "--home", home, "--format", "json").stdout)
    return found


def archived(home: Path) -> Images:
    (file,) = home.rglob("pictures.npz")
    return unpack_images(file.read_bytes())


def write(
    folder: Path, images: Images, folds: list[dict[str, list[str]]], shift: int = 1, by_fold: bool = True
) -> None:
    """The truth moved by a pixel or so, at twice the working size, in nnU-Net's folders."""
    for number, fold in enumerate(folds):
        for name in fold["cases"]:
            mask = np.roll(images.truths[images.names.index(name)], shift, 1).repeat(2, 0).repeat(2, 1)
            path = folder / (f"fold_{number}" if by_fold else ".") / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(255 * mask).save(path)


def test_the_numbers_are_those_of_an_independent_computation(thaw_here: Thaw, home: Path, tmp_path: Path) -> None:
    before = report(thaw_here, home)
    images, folds = archived(home), before["folds"]
    write(tmp_path / "theirs", images, folds)  # type: ignore[arg-type]
    done = thaw_here("referee", before["sweep"], f"shifted={tmp_path / 'theirs'}", "--home", home)
    assert done.returncode == 0, done.stderr
    assert "shifted is" in done.stdout and "the best mask" in done.stdout
    after = report(thaw_here, home)
    (row,) = [trial for trial in after["trials"] if trial["role"] == "referee"]  # type: ignore[attr-defined]
    expected = []
    for fold in folds:  # type: ignore[attr-defined]
        truths = [images.truths[images.names.index(name)] for name in fold["cases"]]
        dice = [2 * (truth & np.roll(truth, 1, 1)).sum() / (2 * truth.sum()) for truth in truths]
        expected.append(float(np.mean(dice)))
    assert row["dice"]["folds"] == pytest.approx(expected)
    assert row["mask"] == "shifted"
    own = [trial for trial in after["trials"] if trial["role"] != "referee"]  # type: ignore[attr-defined]
    assert own == before["trials"] and after["verdict"] == before["verdict"]
    assert any(one["name"] == "shifted" for one in after["best_mask"]["against"])  # type: ignore[index]
    again = thaw_here("referee", before["sweep"], f"shifted={tmp_path / 'theirs'}", "--home", home)
    assert again.returncode == 0 and report(thaw_here, home)["trials"] == after["trials"]
    page = thaw_here("report", "--home", home)
    assert page.returncode == 0, page.stderr


def test_without_folds_they_are_marked(thaw_here: Thaw, home: Path, tmp_path: Path) -> None:
    found = report(thaw_here, home)
    write(tmp_path, archived(home), found["folds"], 2, by_fold=False)  # type: ignore[arg-type]
    assert thaw_here("referee", found["sweep"], f"unsaid={tmp_path}", "--home", home).returncode == 0
    assert "unsaid (folds not stated)" in thaw_here("report", "--home", home, "--format", "markdown").stdout


def test_wrong_folds_and_names_are_refused_and_nothing_is_recorded(thaw_here: Thaw, home: Path, tmp_path: Path) -> None:
    found = report(thaw_here, home)
    images, folds = archived(home), found["folds"]
    swapped = [{"cases": list(fold["cases"])} for fold in folds]  # type: ignore[attr-defined]
    swapped[0]["cases"][0], swapped[1]["cases"][0] = swapped[1]["cases"][0], swapped[0]["cases"][0]
    write(tmp_path / "swapped", images, swapped)
    write(tmp_path / "other", images, folds, 3)  # type: ignore[arg-type]
    for given, said in (
        ([f"x={tmp_path / 'swapped'}"], "were made in others"),
        ([f"y={tmp_path / 'other'}", f"x={tmp_path / 'swapped'}"], "were made in others"),
        ([f"all={tmp_path / 'other'}"], "is none of expanding"),
        ([f"x={tmp_path / 'nothing'}"], "there is no folder"),
        (["x"], "given as NAME=FOLDER"),
    ):
        done = thaw_here("referee", found["sweep"], *given, "--home", home)
        assert done.returncode == 2 and said in done.stderr, done.stderr
    assert report(thaw_here, home)["trials"] == found["trials"]


def test_turned_folds_are_the_same_folds(thaw_here: Thaw, home: Path, tmp_path: Path) -> None:
    found = report(thaw_here, home)
    write(tmp_path, archived(home), list(reversed(found["folds"])), 4)  # type: ignore[call-overload]
    assert thaw_here("referee", found["sweep"], f"turned={tmp_path}", "--home", home).returncode == 0
    write(tmp_path, archived(home), list(reversed(found["folds"])), 5)  # type: ignore[call-overload]
    other = thaw_here("referee", found["sweep"], f"turned={tmp_path}", "--home", home)
    assert other.returncode == 2 and "was recorded with others" in other.stderr


def test_what_was_cut_off_is_not_finished_with_other_predictions(thaw_here: Thaw, home: Path, tmp_path: Path) -> None:
    found = report(thaw_here, home)
    tracker = Tracker.connect(open_home(home).tracking_uri, open_home(home).artifact_folder)
    info = TrialInfo(Candidate("cut", 0, 0.0, "referee"), (), (), (), 0, "referee")
    run = tracker.open_trial(tracker.sweep_run(str(found["sweep"])), info)
    tracker.set_tag(run, DIGEST_TAG, "of others")
    write(tmp_path, archived(home), found["folds"], 6)  # type: ignore[arg-type]
    done = thaw_here("referee", found["sweep"], f"cut={tmp_path}", "--home", home)
    assert done.returncode == 2 and "was recorded with others" in done.stderr
