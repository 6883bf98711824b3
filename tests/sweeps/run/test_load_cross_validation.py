"""A plan's cross-validation: loaded only from the images and weights that were planned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sweeps.environment.home import Home
from sweeps.planning.plan import Plan
from sweeps.planning.resolve import resolve
from sweeps.run.load_cross_validation import load_cross_validation
from sweeps.spec.load import load_spec
from tests.small import SMALL
from trainer.candidate import Candidate
from trainer.data.cases import load_cases
from trainer.errors import UserError
from trainer.network.unet import unet
from trainer.network.weights import weights_digest, write_weights

RESOLVED = resolve(load_spec("smoke", sets=[*SMALL, "search.seeds=[0,7]"]), [1] * 9)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    settings = RESOLVED.settings
    network = unet(settings.model, seed=5)
    write_weights(network, tmp_path / "start.weights.h5")
    cases = load_cases(settings.data, settings.model.size, tmp_path / "data")
    weights = str(tmp_path / "start.weights.h5")
    return Plan("s", RESOLVED, "", (0, 1) * 4, cases.digest, weights, weights_digest(network), "run")


def test_it_holds_every_start_and_the_planned_folds(tmp_path: Path, plan: Plan) -> None:
    cross_validation = load_cross_validation(Home(tmp_path), plan)
    assert (
        set(cross_validation.starts) == set(cross_validation.trainer.starts) == {"pretrained", "scratch:0", "scratch:7"}
    )
    assert (
        cross_validation.starts["pretrained"] == plan.weights_digest and len(set(cross_validation.starts.values())) == 3
    )
    folds = cross_validation.folds(Candidate("1", 1, 1e-3))
    assert [len(fold.test_x) for fold in folds] == [4, 4] and cross_validation.budgets == (1, 2)
    assert np.array_equal(folds[0].train_x, folds[1].test_x)


@pytest.mark.parametrize(
    ("changed", "words"),
    [("data_digest", "The images of sweep 's' changed"), ("weights_digest", "weights .* changed")],
)
def test_what_changed_since_is_refused(tmp_path: Path, plan: Plan, changed: str, words: str) -> None:
    other = replace(plan, data_digest="other") if changed == "data_digest" else replace(plan, weights_digest="other")
    with pytest.raises(UserError, match=words):
        load_cross_validation(Home(tmp_path), other)
