from __future__ import annotations

import logging
from typing import Any

import pytest

from sweeps.environment.keras_backend import prepare_backend


def test_many_small_functions_are_no_reason_to_warn(caplog: pytest.LogCaptureFixture) -> None:
    tensorflow = pytest.importorskip("tensorflow")
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
    trace(tensorflow, "before")
    assert "retracing" in caplog.text
    caplog.clear()
    prepare_backend()
    trace(tensorflow, "after")
    assert caplog.text == ""


def trace(tensorflow: Any, name: str) -> None:
    """Trace one function for shape after shape, which TensorFlow takes for a mistake; twice at most for one code."""
    scope: dict[str, Any] = {}
    exec(f"def {name}(x):\n    return x + x", scope)
    function: Any = tensorflow.function(scope[name])
    for n in range(1, 9):
        function(tensorflow.zeros([1] * n))
