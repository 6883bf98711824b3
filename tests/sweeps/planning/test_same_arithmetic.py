"""One sweep, one arithmetic: what differs is named, what is not known does not stop anybody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeps.planning import same_arithmetic
from sweeps.planning.same_arithmetic import (
    WORDS,
    arithmetic_here,
    arithmetic_of,
    check_arithmetic,
    check_same,
    differences,
)
from tests.tracking.made_up import sweep_info
from trainer import arithmetic
from trainer.errors import UserError
from trainer.training.device import Device

HERE = {"thaw": "1", "keras": "3.15.1", "backend": "tensorflow", "tensorflow": "2.21.0", "device": "cpu", "python": "3"}


@pytest.mark.parametrize(
    ("recorded", "words"),
    [
        ({}, []),
        (HERE, []),
        ({**HERE, "python": "4", "of a later thaw": "x"}, []),
        ({**HERE, "thaw": "2"}, ["The version of thaw's arithmetic is 2 in the sweep and 1 here."]),
        ({**HERE, "keras": "3.16.0"}, ["Keras is 3.16.0 in the sweep and 3.15.1 here."]),
        ({**HERE, "tensorflow": "2.22.0"}, ["TensorFlow is 2.22.0 in the sweep and 2.21.0 here."]),
        ({"backend": "jax", "jax": "0.9"}, ["Keras's backend is jax in the sweep and tensorflow here."]),
        ({**HERE, "device": "gpu 9.0"}, ["The device is gpu 9.0 in the sweep and cpu here."]),
        ({"keras": "1", "device": "tpu v4"}, ["Keras is 1 in", "The device is tpu v4"]),
    ],
)
def test_differences(recorded: dict[str, str], words: list[str]) -> None:
    found = differences(recorded, HERE)
    assert len(found) == len(words) and all(part in line for part, line in zip(words, found, strict=True))


def test_a_difference_stops_with_both_named() -> None:
    with pytest.raises(UserError, match=r"'s' was begun in another.* 9 in the sweep and 3.15.1 here.*another --name"):
        check_same("s", {"keras": "9"}, HERE)


def test_this_process_differs_where_its_device_or_its_arithmetic_does(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = arithmetic_here()
    assert begun.keys() >= {"thaw", "precision", "device", "keras", "tensorflow", "numpy", "kernels", "machine"}
    check_same("s", begun, arithmetic_here())
    monkeypatch.setattr("trainer.training.device.device", lambda: Device("gpu 9.0", "NVIDIA H100", "float32 by TF32"))
    monkeypatch.setattr(arithmetic, "TRAINING", 99)
    lines = differences(begun, arithmetic_here())
    assert [line.split(" is ")[0] for line in lines] == [
        "The version of thaw's arithmetic",
        "The precision",
        "The device",
    ]


def test_a_sweep_of_before_goes_on_and_a_later_one_is_held_to_what_it_says() -> None:
    now = replace(sweep_info(), arithmetic={"thaw": "1", "device": "cpu"})
    check_arithmetic(now, None)
    check_arithmetic(now, replace(now, arithmetic={}, versions={}))
    assert arithmetic_of(now)["device"] == "cpu" and arithmetic_of(now)["keras"] == "3.15.1"
    with pytest.raises(UserError, match=r"The device is gpu 8\.0 in the sweep and cpu here"):
        check_arithmetic(now, replace(now, arithmetic={"thaw": "1", "device": "gpu 8.0"}))


def test_everything_that_keys_hold_is_compared_but_python() -> None:
    assert arithmetic_here().keys() - {"python"} <= WORDS.keys()
    assert same_arithmetic.beside_versions().keys() <= WORDS.keys()
