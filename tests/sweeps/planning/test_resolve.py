"""A spec on its units: the space, the list, the seeds; and the look at the network before that."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sweeps.commands.dry_run import run_dry
from sweeps.environment.home import open_home
from sweeps.environment.terminal import Board
from sweeps.objective_api import open_objective
from sweeps.planning.resolve import look_and_resolve, resolve
from sweeps.spec.load import load_spec
from sweeps.spec.space import listed
from sweeps.sweep import run_sweep
from tests.trainer.own import own, saved
from trainer.errors import UserError
from trainer.masks import Mask
from trainer.training.device import CPU, Device

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def test_everything_follows_from_spec_and_units() -> None:
    spec = load_spec("smoke", sets=["search.seeds=[3,4]", "search.masks=['1-5','6-9']"])
    resolved = resolve(spec, SIZES)
    assert (resolved.n_blocks, resolved.parameters, resolved.seeds) == (9, 511, (3, 4))
    assert (resolved.settings, resolved.search) == (spec.settings, spec.search)
    assert resolved.listed == listed(spec.search, resolved.space, spec.settings)
    assert resolved.space.parameters == (31, 480)


@pytest.mark.parametrize(("always", "thawed"), [(0, 5), (1000, 1005)])
def test_what_a_mask_thaws(always: int, thawed: int) -> None:
    resolved = resolve(load_spec("smoke"), SIZES, always)
    assert (resolved.thawed(Mask((1, 3), 9)), resolved.thawed(Mask((), 9))) == (thawed, 0)


def test_constraints_that_leave_nothing_are_refused() -> None:
    spec = load_spec("smoke", sets=["search.space=subsets", "search.max_parameters=1", "search.must_train=[2]"])
    with pytest.raises(UserError, match="No mask keeps the constraints"):
        resolve(spec, SIZES)


def test_the_look_says_what_it_found_and_gives_the_network(tmp_path: Path) -> None:
    output = io.StringIO()
    spec = load_spec("smoke", model=str(saved(own(), tmp_path)), sets=["search.masks=['1']"])
    resolved, network = look_and_resolve(spec, open_home(tmp_path / "home"), Board(Console(file=output)))
    assert resolved.n_blocks == 3 and resolved.parameters == network.count_params() == own().count_params()
    assert resolved.settings.model.architecture and "Network: my.keras" in output.getvalue()


@pytest.mark.parametrize(("kind", "said"), [(CPU, True), ("gpu 9.0", False)])
def test_a_gpu_that_the_backend_does_not_see_is_said(
    kind: str, said: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, output = tmp_path / "nvidia-smi", io.StringIO()
    program.write_text("#!/bin/sh\necho 'GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-5a1f)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("trainer.training.device.device", lambda: Device(kind, "A"))
    look_and_resolve(load_spec("smoke"), open_home(tmp_path / "home"), Board(Console(file=output)))
    assert ("This machine has a GPU (NVIDIA H100 80GB HBM3)" in output.getvalue()) is said


@pytest.mark.parametrize("way", ["run", "dry run", "a study of the user's own"])
def test_a_network_of_one_block_is_refused_before_anything_is_read(way: str, tmp_path: Path) -> None:
    path, home = saved(own(strides=1), tmp_path), tmp_path / "home"
    spec, board = load_spec("smoke", model=str(path), sets=["search.masks=['1']"]), Board(Console(quiet=True))
    ways: dict[str, Any] = {
        "run": lambda: run_sweep(spec, open_home(home), board, workers=1),
        "dry run": lambda: run_dry(spec, open_home(home), board, 1),
        "a study of the user's own": lambda: open_objective("smoke", model=str(path), home=home).__enter__(),
    }
    with pytest.raises(UserError, match=r"choose among at least two blocks, but this network has one: .*model\.blocks"):
        ways[way]()
    assert not (home / "data").exists() and not (home / "mlflow.db").exists()


def test_a_table_of_one_block_is_refused_too(tmp_path: Path) -> None:
    spec = load_spec("smoke", sets=["model.blocks=[['*']]"])
    with pytest.raises(UserError, match="at least two blocks"):
        look_and_resolve(spec, open_home(tmp_path), Board(Console(quiet=True)))
