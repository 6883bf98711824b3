"""Names among the artifacts of a sweep's run that several parts must agree on."""

from __future__ import annotations

NETWORK = "network"  # the user's own, with the suffix of its file
