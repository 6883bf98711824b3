"""What a refitted winner scores, to the artifact and back."""

from __future__ import annotations

import numpy as np
import pytest

from tracking.record import Refit
from tracking.store.refit_text import refit_from_text, refit_to_text
from trainer.candidate import Candidate


def test_there_and_back() -> None:
    counts = np.arange(24).reshape(2, 4, 3)
    refit = Refit(Candidate("1-5", 12, 1e-3, train=(("batch", 8),)), {"held-out": counts})
    found = refit_from_text(refit_to_text(refit))
    assert found is not None and found.candidate == refit.candidate
    np.testing.assert_array_equal(found.external["held-out"], counts)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"candidate": {"mask": "1"}, "external": {}}', "null"])
def test_a_damaged_one_counts_as_none(text: str) -> None:
    assert refit_from_text(text) is None
