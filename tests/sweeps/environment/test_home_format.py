"""A home of an earlier format goes on: what is lost is put aside and said, once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sweeps.environment.home import VERSION, Home, format_of, open_home
from sweeps.environment.home_format import bring_up_to_date
from sweeps.locks import contract
from trainer.errors import UserError


@pytest.fixture
def former(tmp_path: Path) -> Home:
    """A home as format 1 left it: two folds in the ledger, one of them without a result, and pre-trained weights."""
    home = Home(tmp_path / "home")
    for key, files in {"ab": ("00001.npz", "00002.npz", "state.npz", "lease"), "cd": ("lease",)}.items():
        for name in files:
            path = home.ledger / key / (key * 32) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"0" * 500_000 * (name != "lease"))
    home.weights.mkdir()
    for name in ("12ab.weights.h5", "12ab.json", "own-34cd.weights.h5"):
        (home.weights / name).write_bytes(b"0" * 1_000_000)
    (home.root / "home.json").write_text(json.dumps({"version": 1}))
    return home


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_cannot_be_found_any_more_is_put_aside_and_said_once(former: Home) -> None:
    why, what, unused = bring_up_to_date(former)
    assert "(format 1; now it has format 2)" in why and "have changed their form" in why
    assert "recorded are not trained again" in what and "starting weights" in what and "still missing" in what
    ledger, weights = former.root / "ledger-1", former.root / "weights-1"
    assert f"1 trained fold in {ledger} (1.5 MB) and 1 pre-trained network in {weights} (2.0 MB)" in unused
    assert not former.ledger.exists() and names(ledger) == ["ab", "cd"]
    assert names(former.weights) == ["own-34cd.weights.h5"]  # known by its own digest, not by a key
    assert names(weights) == ["12ab.json", "12ab.weights.h5"]
    assert format_of(former.root) == VERSION
    assert bring_up_to_date(former) == ()


def test_reading_a_former_home_changes_nothing(former: Home) -> None:
    opened = open_home(former.root, make=False)
    assert format_of(opened.root) == 1 and former.ledger.exists()


def test_a_kill_in_the_middle_is_made_good(former: Home) -> None:
    former.ledger.rename(former.root / "ledger-1")
    (former.root / "weights-1").mkdir()
    (former.weights / "12ab.weights.h5").rename(former.root / "weights-1" / "12ab.weights.h5")
    assert "1 trained fold" in bring_up_to_date(former)[2]
    assert names(former.root / "weights-1") == ["12ab.json", "12ab.weights.h5"]


def test_a_former_home_that_trained_nothing_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "home.json").write_text(json.dumps({"version": 1}))
    assert bring_up_to_date(Home(tmp_path)) == ()
    assert format_of(tmp_path) == VERSION


def test_a_home_of_today_has_nothing_to_say(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    home.ledger.mkdir()
    assert bring_up_to_date(home) == () and home.ledger.exists()


def test_nothing_is_moved_under_a_running_sweep(former: Home) -> None:
    with former.locks.present(contract.workers("mine")):
        with pytest.raises(UserError, match=r"sweep 'mine' is running in it. Wait until it has ended"):
            bring_up_to_date(former)
        assert former.ledger.exists() and format_of(former.root) == 1
    assert bring_up_to_date(former)
