"""A bug's traceback, a warning and a log line hold no secret."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

BEGIN = "import sys, threading, warnings, logging, sweeps.environment.redacted_output as out; out.redact_errors();"


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("raise ValueError('no host hush@wxyz/hush')", "ValueError: no host ***"),
        ("threading.Thread(target=lambda: 1 / int('s3cret')).start()", "invalid literal for int() with base 10: '***'"),
        ("warnings.warn('at http://ann:x@h/')", "at http://***@h/"),
        ("logging.error('password=%s', 'abc')", "password=***"),
        ("print('s3cret', file=sys.stderr)", "***"),
        ("sys.stderr.write('\\u2212')", "−"),
    ],
)
def test_standard_error_is_redacted(code: str, shown: str) -> None:
    environment = os.environ | {
        "THAW_STORAGE": "postgresql://ann:s3cret@h/d",
        "MLFLOW_TRACKING_PASSWORD": "hush@wxyz/hush",
    }
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code], env=environment, capture_output=True, text=True, check=False
    )
    assert shown in done.stderr and "s3cret" not in done.stderr.replace("int('s3cret')", "")
