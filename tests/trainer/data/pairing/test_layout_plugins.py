"""A lab's own layout: a tiny package with an entry point, on the path as if it were installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trainer.data.drawn import touch
from trainer.config import DataConfig
from trainer.data.pairing.pairs import Match
from trainer.data.pairing.sources import find
from trainer.errors import UserError

CLINIC = '''
from pathlib import Path
from trainer.data.pairing.pairs import Pair

def pairs(folder: Path) -> list[Pair] | None:
    """One visit is p01.v2.img.png, its outline p01.v2.out.png."""
    images = sorted(folder.glob("*.img.png"))
    return [
        Pair(path.name[:6], path, (path.with_name(path.name.replace(".img.", ".out.")),), "", path.name[:3])
        for path in images
    ] or None

def broken(folder): raise ValueError("no such visit")
def words(folder): return ["a.png"]
def gone(folder): return [Pair("a", folder / "gone.png", (folder / "gone too.png",), "")]
def nothing(folder): return None
def everything(folder): return [Pair("one", folder / "images" / "1.png", (folder / "masks" / "1.png",), "")]
'''


def install(site: Path, monkeypatch: pytest.MonkeyPatch, package: str = "clinic-data", **layouts: str) -> None:
    """Put a package that offers these layouts on the path, with the metadata that an installer writes."""
    module = package.replace("-", "_")
    touch(site, f"{module}-1.0.dist-info/METADATA").joinpath(f"{module}.py").write_text(CLINIC)
    about = site / f"{module}-1.0.dist-info"
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [f"{name} = {module}:{function}" for name, function in layouts.items()]
    (about / "entry_points.txt").write_text("\n".join(["[thaw.layouts]", *lines, ""]))
    monkeypatch.syspath_prepend(site)


def read(folder: Path, **config: str) -> Match:
    return find(DataConfig(str(folder), **config))  # type: ignore[arg-type]


def test_a_layout_of_another_package_is_read_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [f"p0{patient}.v{visit}.{kind}.png" for patient in (1, 2) for visit in (1, 2) for kind in ("img", "out")]
    folder = touch(tmp_path / "set", *files, "logo.png")
    with pytest.raises(UserError):
        read(folder, layout="clinic")
    install(tmp_path / "site", monkeypatch, clinic="pairs", other="nothing")
    match = read(folder)
    assert [(pair.name, pair.patient, pair.masks[0].name) for pair in match.pairs][:2] == [
        ("p01.v1", "p01", "p01.v1.out.png"),
        ("p01.v2", "p01", "p01.v2.out.png"),
    ]
    assert match.name == "clinic" and len(match.pairs) == 4
    assert match.notes == (
        "read by the layout 'clinic' of the package clinic-data",
        "1 image file not part of this layout, not read (logo.png)",
    )
    assert read(folder, layout="Clinic") == match
    with pytest.raises(UserError, match=r"got 'clinc'; did you mean 'clinic'\?"):
        read(folder, layout="clinc")
    with pytest.raises(UserError, match="'other' finds no images"):
        read(folder, layout="other")


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("broken", r"'lab' of the package clinic-data failed .*ValueError: no such visit"),
        ("missing", r"'lab' of the package clinic-data failed .*AttributeError"),
        ("words", "returned str"),
        ("gone", r"2 are missing \(gone\.png, gone too\.png\)"),
    ],
)
def test_a_layout_that_fails_is_named_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, words: str
) -> None:
    install(tmp_path / "site", monkeypatch, lab=function)
    with pytest.raises(UserError, match=words):
        read(touch(tmp_path / "set", "a.png"))


def test_two_layouts_that_claim_a_folder_are_refused_and_chosen_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = touch(tmp_path / "set", *(f"{kind}/{n}.png" for kind in ("images", "masks") for n in (1, 2)))
    install(tmp_path / "site", monkeypatch, one="everything", two="everything")
    with pytest.raises(UserError, match=r"claimed by one and two.*data\.layout='one' or --set data\.layout='two'"):
        read(folder)
    assert len(read(folder, layout="two").pairs) == 1
    assert len(read(folder, layout="images and masks").pairs) == len(read(folder, layout="plain names").pairs) == 2


def test_a_published_set_stays_one_and_a_package_does_not_take_it_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = touch(tmp_path / "set", "benign/a.png", "benign/a_mask.png", "images/1.png", "masks/1.png")
    install(tmp_path / "site", monkeypatch, greedy="everything")
    with pytest.raises(UserError, match="claimed by greedy and BUSI"):
        read(folder)
    assert read(folder, layout="BUSI").name == "BUSI"


def test_two_packages_with_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site", monkeypatch, lab="pairs")
    install(tmp_path / "site", monkeypatch, "other-lab", lab="pairs")
    with pytest.raises(UserError, match=r"(clinic-data and other-lab|other-lab and clinic-data) both offer 'lab'"):
        read(touch(tmp_path / "set", "a.png"))
