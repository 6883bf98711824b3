"""Images and masks drawn once a session, linked into the folders of the tests."""

from __future__ import annotations

import pytest

from tests.trainer.data.drawn import Drawn


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    return Drawn(tmp_path_factory.mktemp("drawn"))
