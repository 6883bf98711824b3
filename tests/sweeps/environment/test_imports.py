from __future__ import annotations

import gc

import pytest

from sweeps.environment.imports import heavy_imports


@pytest.mark.parametrize("was_enabled", [True, False])
def test_what_is_imported_is_left_alone_and_the_collector_as_it_was(was_enabled: bool) -> None:
    before = gc.isenabled()
    (gc.enable if was_enabled else gc.disable)()
    try:
        with pytest.raises(ImportError), heavy_imports():
            assert not gc.isenabled()
            kept: list[list[int]] = [[] for _ in range(1000)]
            raise ImportError
        assert gc.isenabled() == was_enabled
        assert len(kept) == 1000 and gc.get_freeze_count() > 1000
    finally:
        gc.unfreeze()
        (gc.enable if before else gc.disable)()
