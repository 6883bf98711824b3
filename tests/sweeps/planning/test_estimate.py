"""The dry run: arithmetic on one measured step, and what it says of memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sweeps.environment.home import Home
from sweeps.environment.machine import GIB
from sweeps.planning import estimate as module
from sweeps.planning import sweep_time
from sweeps.planning.estimate import dry_run_lines, estimate, expected_shortage, kept_memory, shortage
from sweeps.planning.resolve import ResolvedSweep, resolve
from sweeps.planning.user_network import look_at
from sweeps.spec.load import load_spec, shipped
from trainer.network.blocks import unit_parameters
from trainer.training.pretraining import EMBEDDED_IMAGES
from trainer.training.step_cost import Cost

PARAMETERS = 31_377_793


def resolved(name: str, sets: Sequence[str] = (), pretrain: str | None = None) -> ResolvedSweep:
    look = look_at(load_spec(name, sets=sets, pretrain=pretrain), Home(Path("unused")))
    return resolve(look.spec, *unit_parameters(look.blocks))


@pytest.fixture(autouse=True)
def _a_step_costs_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        module, "measure_step", lambda spec, masks, say: Cost(step=10.0, scoring=20.0, peak=4 * GIB, lightest=10.0)
    )
    monkeypatch.setattr(module, "free_memory", lambda: 10 * GIB)


def test_colours_take_three_times_the_memory_of_grey() -> None:
    spec = load_spec("smoke")
    model = replace(spec.settings.model, colour=True)
    colour = replace(spec, settings=replace(spec.settings, model=model))
    grey = kept_memory(spec, 16, 0)
    assert kept_memory(colour, 16, 0) == grey * (3 * 4 + 1) // (4 + 1) and grey > 0


def test_the_paper_in_numbers() -> None:
    """600 images, 4/5 of them in 60 steps of 8; 17 masks and one from scratch, 5 folds, 50 epochs; 3 budgets scored."""
    costs = estimate(resolved("paper-ultrasound"), 163, workers=1)
    assert (costs.parameters["all"], costs.trainings, costs.steps, costs.epoch) == (PARAMETERS, 90, 60, 600.0)
    scored = (18 * 3 + 1) * 5 * 5 * 20.0  # 33 images of a fold, 8 at a time
    recorded = 55 * sweep_time.RECORDING + sweep_time.STARTING
    assert costs.training == pytest.approx(90 * 50 * 600 + scored + recorded, abs=1)
    assert costs.pretraining == pytest.approx(40 * (9000 / 8 * 10 + 125 * 20)) and costs.pretraining_images == 10_000
    assert costs.memory == 4 * GIB + (5 * 480 + 163) * 256 * 256 * 5 + 6 * 4 * PARAMETERS
    text = "\n".join(dry_run_lines(load_spec("paper-ultrasound"), costs, Path("home")))
    for line in (
        "31,377,793 parameters",
        "one epoch   10 minutes",
        "5.5 GiB for each worker (4.0 GiB measured",
        "10.0 GiB are free here",
        "10,000 images, 40 epochs; once",
        "in all      about 32 days with 1 workers",
    ):
        assert line in text
    assert "NOT ENOUGH" not in text


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_shipped_spec_can_be_estimated(name: str) -> None:
    sweep = resolved(name)
    costs = estimate(sweep, 100, workers=2)
    text = "\n".join(dry_run_lines(sweep.spec, costs, Path("home")))
    assert 0 < costs.epoch < costs.training and costs.pretraining > 0 and costs.memory > 4 * GIB
    assert f"spec        {name}: 100 images" in text and "with 2 workers" in text


@pytest.mark.parametrize(
    ("limit", "trainings"),
    [
        ("search.trials=20", (5 + 14) * 5 + 9),  # five of the six that it starts from train; and the probe
        ("search.trainings=100", 34 + 14 * 5),  # as many whole trials as reach it
        ("search.hours=0.001", (5 + 511) * 5 + 9),
    ],
)
def test_a_budget_of_any_kind_is_counted(limit: str, trainings: int) -> None:
    costs = estimate(resolved("search-ultrasound", ["search.trials=0", limit]), 100, workers=1)
    assert costs.trainings == trainings and (costs.training == 3.6) == ("hours" in limit)


@pytest.mark.parametrize(("busy", "load", "told"), [(4.0, 9.0, True), (4.0, 0.1, False), (1.1, 9.0, False)])
def test_a_busy_machine_is_told(monkeypatch: pytest.MonkeyPatch, busy: float, load: float, told: bool) -> None:
    """Where an accelerator does the work the processor has little to do as well: only a high load says busy."""
    monkeypatch.setattr(
        module, "measure_step", lambda spec, masks, say: Cost(step=8.0, scoring=1.0, peak=GIB, busy=busy)
    )
    monkeypatch.setattr("os.getloadavg", lambda: (load, load, load))
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    sweep = resolved("smoke")
    lines = dry_run_lines(sweep.spec, estimate(sweep, 8, 1), Path("home"))
    assert any("about 2 s on an idle machine" in line for line in lines) == told


@pytest.mark.parametrize(
    ("workers", "words"), [(1, []), (2, ["2 workers need about 12.0 GiB, but 10.0 GiB are free. Use --workers 1,"])]
)
def test_more_workers_than_memory_is_told(workers: int, words: list[str]) -> None:
    lines = shortage(6 * GIB, workers, 10 * GIB)
    assert len(lines) == len(words) and all(word in line for word, line in zip(words, lines, strict=True))


@pytest.mark.parametrize(("spec", "workers", "told"), [("paper-xray", 1, 0), ("paper-xray", 2, 1), ("smoke", 8, 0)])
def test_a_real_run_knows_it_without_a_step(spec: str, workers: int, told: int) -> None:
    look = look_at(load_spec(spec), Home(Path("unused")))
    assert len(expected_shortage(look.spec, look.network, 240, workers)) == told


def test_not_even_one_worker() -> None:
    assert "Set a smaller train.batch" in shortage(6 * GIB, 1, 5 * GIB)[0]


def test_given_weights_need_no_pretraining_and_a_folder_is_counted(tmp_path: Path) -> None:
    from tests.sweeps.test_bad_input import data_set

    def pretraining(path: str | None) -> tuple[float, int]:
        costs = estimate(resolved("smoke", ["pretrain.images=0"], path), 8, 1)
        return costs.pretraining, costs.pretraining_images

    (tmp_path / "net.weights.h5").touch()
    assert pretraining(str(tmp_path / "net.weights.h5")) == (0.0, 0)
    assert pretraining(str(data_set(tmp_path / "set", 40)))[1] == 40
    assert pretraining(None)[1] == EMBEDDED_IMAGES


def test_a_leaky_order_and_seeds_keep_folds_of_their_own() -> None:
    augmented = ["augmentation.total=16"]
    once = kept_memory(load_spec("smoke", sets=augmented), 8, 0)
    more = kept_memory(load_spec("smoke", sets=[*augmented, "augmentation.order=leaky", "search.seeds=[0,1]"]), 8, 0)
    assert more == 4 * once > 0
