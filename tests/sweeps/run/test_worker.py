"""A worker's end: what its exit code says; and what it writes into its log at its begin."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from sweeps.environment.home import Home
from sweeps.environment.keras_backend import chosen_backend
from sweeps.environment.termination import Termination
from sweeps.locks import contract
from sweeps.planning.open_sweep import OpenSweep
from sweeps.planning.plan import Plan, write_plan
from sweeps.planning.resolve import resolve
from sweeps.run import worker
from sweeps.run.messages import Error, Ready, from_line
from sweeps.run.worker import USER_ERROR, Emit, main
from sweeps.spec.load import load_spec
from trainer.errors import UserError
from trainer.training.device import CPU, Device


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(worker, "_end_with_parent", lambda parent, end: None)
    home = Home(tmp_path)
    write_plan(home, Plan("s", resolve(load_spec("smoke"), [1] * 9), "", (), "", "", "", "run"))
    return home


def test_a_users_mistake_is_told_to_the_launcher(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(sweep: OpenSweep, emit: Emit) -> None:
        emit(Ready())
        raise UserError("the disk is full")

    monkeypatch.setattr(worker, "work", work)
    assert main([str(home.root), "s"], Termination()) == USER_ERROR
    assert [from_line(line) for line in capsys.readouterr().out.splitlines()] == [Ready(), Error("the disk is full")]


def test_its_log_names_a_gpu_that_it_cannot_use(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(worker, "work", lambda sweep, emit: None)
    monkeypatch.setattr("trainer.training.device.device", lambda: Device(CPU, "A"))
    monkeypatch.setattr(worker, "unused_gpus", lambda backend, *, sees_one: f"{backend}: {sees_one}")
    assert main([str(home.root), "s"], Termination()) == 0
    assert capsys.readouterr().err == f"{chosen_backend()}: False\n"


def test_it_is_present_while_it_works_and_a_bug_comes_through(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(sweep: OpenSweep, emit: Emit) -> None:
        assert not sweep.abandoned and sweep.resolved.n_blocks == 9
        raise KeyError("typo")

    monkeypatch.setattr(worker, "work", work)
    with pytest.raises(KeyError, match="typo"):
        main([str(home.root), "s"], Termination())
    assert home.locks.nobody_present(contract.workers("s"))


def test_told_to_stop_it_leaves_with_the_signals_code(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    termination = Termination()

    def work(sweep: OpenSweep, emit: Emit) -> None:
        sweep.stop.leave_if_asked()
        termination.note(signal.SIGTERM)
        sweep.stop.leave_if_asked()
        pytest.fail("it went on")

    monkeypatch.setattr(worker, "work", work)
    assert main([str(home.root), "s"], termination) == 143
