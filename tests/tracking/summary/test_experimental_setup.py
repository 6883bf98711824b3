from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tracking.made_up import sweep_info
from tracking.record import SweepRecord
from tracking.summary.experimental_setup import Fold, describe_data, folds_of, model_of, provenance_of


@pytest.mark.parametrize(
    ("synthetic", "statement"),
    [
        (
            True,
            "SYNTHETIC data (ultrasound phantoms, seed 0): 30 images (20 benign, 10 malignant) in 29 groups. "
            "It carries no claim about any real image.",
        ),
        (
            False,
            "30 images (20 benign, 10 malignant) in 29 groups from busi (BUSI); 2 near-duplicates share a group.",
        ),
    ],
)
def test_the_images_in_one_sentence(synthetic: bool, statement: str) -> None:
    assert describe_data(sweep_info(synthetic=synthetic)).statement == statement


def test_folds_count_from_one_and_hold_every_image_once() -> None:
    folds = folds_of(sweep_info())
    assert folds[0] == Fold(1, 24, 6, tuple(f"case 0-{image}" for image in range(6)))
    assert [fold.fold for fold in folds] == [1, 2, 3, 4, 5] and len(
        {case for fold in folds for case in fold.cases}
    ) == 30


def test_network_and_provenance_are_those_of_the_record(record: SweepRecord) -> None:
    model = model_of(replace(record.info, spec={"partition": {"unit": "conv", "head": "always"}}, always_params=65))
    assert (model.blocks, model.unit, model.head, model.always_params) == (9, "conv", "always", 65)
    assert model.head_sentence.startswith("The head (65 parameters) trains with every mask")
    assert (provenance_of(record).run_id, provenance_of(record).started) == (record.run_id, record.started)
