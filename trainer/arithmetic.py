"""Versions of the arithmetic, raised by hand. Keys hold them, so that no number of another arithmetic is used again.

A raised version makes everybody train again what it covers; a reworded or moved line must not. So a test compares the
numeric code with what was last confirmed, and golden results with what the code gives (docs/keys.md). Whoever changes
a number raises the version that covers it, and then confirms both with `make confirm-arithmetic`.
"""

from __future__ import annotations

TRAINING = 2
"""Raise it when a fold of the same candidate gives other numbers: augmentation, folds, network, masks, batch
normalisation, loss, optimizer, batches or scoring."""

PRETRAINING = 2
"""Raise it when pre-training on the same images gives other weights: network, loss, optimizer, batches, or the choice
of the epoch. Other images need no raise: their digest stands in the key."""

SYNTHETIC_IMAGES = 1
"""Raise it when the phantoms or the composites are drawn differently."""

READING_IMAGES = 3
"""Raise it when the same files give other cases: layouts, reading, resizing, near-duplicates, patients or sampling."""
