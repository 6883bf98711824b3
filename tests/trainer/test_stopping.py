"""Work leaves when it is asked to, and not before."""

from __future__ import annotations

import pytest

from trainer.errors import Preempted
from trainer.stopping import leave_if, never


def test_it_leaves_when_asked() -> None:
    leave_if(never)
    with pytest.raises(Preempted, match="goes on from there"):
        leave_if(lambda: True)
