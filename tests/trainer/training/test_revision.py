"""A revision moves with the code, not with its comments."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.training.revision import revision, versions

BASE = '"""A."""\ndef f(x):\n    """Say."""\n    return x + 1\n'


@pytest.mark.parametrize(
    ("code", "same"),
    [
        ('"""B."""\n# why\ndef f(x):\n\n    return x + 1  # so\n', True),
        (BASE.replace("+ 1", "+ 2"), False),
        (BASE + "g = f\n", False),
    ],
)
def test_comments_and_docstrings_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, same: bool
) -> None:
    one, two = (f"revised_{tmp_path.name}_{which}" for which in "ab")
    (tmp_path / f"{one}.py").write_text(BASE)
    (tmp_path / f"{two}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    assert (revision(one) == revision(two)) is same


def test_unknown_module() -> None:
    with pytest.raises(ModuleNotFoundError):
        revision("trainer_nowhere")


def test_versions_are_known_without_the_libraries() -> None:
    assert versions()["backend"] == "tensorflow" and versions()["keras"].startswith("3.")


def test_other_kernels_are_other_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for switch in "01":
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", switch)
        found.add(versions()["kernels"])
    assert found == {"0", "1"}
