from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from trainer.data.formats import rare_tiff
from trainer.errors import UserError


def test_damage_is_said_and_a_bug_of_ours_is_not_taken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, np.eye(9), photometric="minisblack", compression="zlib")
    with pytest.raises(KeyError, match="ours"), rare_tiff.page_of(path):
        raise KeyError("ours")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match="damaged"):
        rare_tiff.decode(path)
