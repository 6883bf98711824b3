"""The smallest sweep that trains: `smoke` without what makes its numbers mean something."""

from __future__ import annotations

SMALL = [
    "data.images=8",
    "model.filters=2",
    "pretrain.images=40",
    "pretrain.epochs=1",
    "pretrain.batch=16",
    "pretrain.learning_rate=1e-3",
    "search.learning_rate=[1e-3]",
    "search.epochs=[1,2]",
]
SMALL_OPTIONS = [word for setting in SMALL for word in ("--set", setting)]  # as `thaw run` takes them
