from __future__ import annotations

import logging
from typing import Any

import pytest

from sweeps.backend import prepare_backend


def test_many_small_functions_are_no_reason_to_warn(caplog: pytest.LogCaptureFixture) -> None:
    tensorflow = pytest.importorskip("tensorflow")
    said = []
    for prepare in (lambda: logging.getLogger("tensorflow").setLevel(logging.WARNING), prepare_backend):
        prepare()
        caplog.clear()
        _trace(tensorflow, str(prepare))
        said.append("retracing" in caplog.text)
    assert said == [True, False]


def _trace(tensorflow: Any, name: str) -> None:
    """Trace one function for shape after shape, which TensorFlow takes for a mistake in a loop."""
    scope: dict[str, Any] = {}
    exec(
        compile("def double(x):\n    return x + x", name, "exec"), scope
    )  # a file of its own: it warns twice for one place
    double = tensorflow.function(scope["double"], reduce_retracing=False)
    for n in range(1, 9):
        double(tensorflow.zeros(n))
