from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sweeps.environment.keras_backend import SETTINGS, prepare_backend
from trainer.errors import UserError

ROOT = Path(__file__).parents[3]


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


SHOWS = (
    "import os\nfrom sweeps.environment.keras_backend import prepare_backend\nprepare_backend()\nimport keras\n"
    "c = keras.config\nprint(c.backend(), c.floatx(), c.image_data_format(), c.epsilon(), os.environ.get('KERAS_HOME'))"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "content"),
    [
        ("HOME", '{"backend": "torch", "floatx": "float16", "image_data_format": "channels_first", "epsilon": 1}'),
        ("KERAS_HOME", "[]"),
        ("KERAS_HOME", None),
    ],
    ids=["another project's", "a list", "a folder"],
)
def test_what_lies_in_a_keras_json_decides_nothing(tmp_path: Path, variable: str, content: str | None) -> None:
    file = tmp_path / (".keras/keras.json" if variable == "HOME" else "keras.json")
    if content is None:
        file.mkdir(parents=True)
    else:
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
    environment = {name: value for name, value in os.environ.items() if name not in ("KERAS_HOME", "KERAS_BACKEND")}
    environment[variable] = str(tmp_path)
    done = subprocess.run([sys.executable, "-c", SHOWS], cwd=ROOT, env=environment, capture_output=True, text=True)
    keras_home = str(tmp_path) if variable == "KERAS_HOME" else None
    assert done.stdout == f"tensorflow float32 channels_last 1e-07 {keras_home}\n", done.stderr


def test_what_keras_needs_not_is_missing_for_it_alone() -> None:
    """scikit-learn, pandas and matplotlib take longer than half of TensorFlow, and few processes use them."""
    code = (
        "import sys\nfrom sweeps.environment.keras_backend import UNUSED, prepare_backend\nprepare_backend()\n"
        "print('keras' in sys.modules, [name for name in UNUSED if name in sys.modules])\n"
        "import pandas, sklearn, matplotlib, keras\nprint(pandas.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "True []\npandas\n", done.stderr


def test_the_file_that_keras_reads_instead_holds_its_defaults() -> None:
    assert json.loads((SETTINGS / "keras.json").read_text()) == {
        "backend": "tensorflow",
        "epsilon": 1e-07,
        "floatx": "float32",
        "image_data_format": "channels_last",
    }


@pytest.mark.parametrize(
    ("backend", "words"),
    [("theano", "must be tensorflow or jax for thaw, but it is 'theano'"), ("jax", "'jax', but that is not installed")],
)
def test_a_backend_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, backend: str, words: str) -> None:
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=words):
        prepare_backend()
