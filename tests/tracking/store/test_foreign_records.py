"""Attacks by what stands in MLflow: paths that lead elsewhere, records of any content, texts of any unpacked size."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mlflow.exceptions import MlflowException

from tests.tracking.made_up import sweep_info, trial_info
from tracking.store import schema
from tracking.store.connection import Store, check_path
from tracking.store.tag_text import MOST_BYTES, pack, unpack
from tracking.sweep_names import is_sweep_name
from trainer.errors import UserError


@pytest.mark.parametrize(
    "path",
    [
        *("../secret", "bases/../../secret", "/etc/passwd", "bases//x", "./x", "", "a\\..\\b", "a/..", "C:\\x"),
        *("%2e%2e/secret", "bases/%2E%2e/x", "a%2f..%2fb", "line\nbreak", "nul\x00byte", "esc\x1b[2J"),
    ],
)
def test_a_path_that_leads_out_of_its_run_is_refused(path: str) -> None:
    with pytest.raises(UserError, match="lie below it, but the record of run r names"):
        check_path("r", path)


@pytest.mark.parametrize("path", ["info.json", "bases/0123abcd.weights.h5", "images/am~1~2+step+0+x+y.png", "a b/Ö..x"])
def test_paths_of_artifacts_pass(path: str) -> None:
    check_path("r", path)


def test_a_download_that_lands_elsewhere_is_refused(tmp_path: Path) -> None:
    """A link, or a server's odd answer: whatever MLflow says, only what lies in the folder is read."""
    secret, folder = tmp_path / "secret", tmp_path / "folder"
    secret.write_text("secret")
    folder.mkdir()
    (folder / "link").symlink_to(secret)
    for answer in (secret, folder / "link", folder / ".." / "secret"):
        client = SimpleNamespace(download_artifacts=lambda run, path, where, answer=answer: str(answer))
        with pytest.raises(UserError, match="Nothing is read"):
            Store(client, "sqlite://", None).fetch_file("r", "link", folder)  # type: ignore[arg-type]


def test_an_artifact_of_any_size_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("MOST_TEXT", "MOST_BYTES"):
        monkeypatch.setattr(f"tracking.store.connection.{limit}", 10)
    for name in ("a.json", "a.npz"):
        (tmp_path / name).write_bytes(b"x" * 11)
        with pytest.raises(UserError, match="has 11 bytes, and thaw reads at most 10"):
            Store(SimpleNamespace(), "sqlite://", None)._artifact("r", name, tmp_path.as_uri())  # type: ignore[arg-type]


def info(**changed: Any) -> str:
    return json.dumps({**json.loads(schema.info_to_json(sweep_info())), **changed})


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "3", "null", "[" * 100_000, '{"version": 1}'),
        *(info(name=name) for name in ("../../up", "/etc", "a/b", "..", ".ssh", "", "x" * 200, "esc\x1b[2J", 3, None)),
        *(info(folds=folds) for folds in ("abc", [["a"], "b"], [[1]], {"a": 1}, None)),
        *(info(spec=3), info(data=[]), info(weights="x"), info(n_blocks=10**9), info(n_blocks="9")),
        *(info(block_params=[1, "2"]), info(block_params=[-1]), info(seed="0"), info(versions=[])),
    ],
    ids=range(31),
)
def test_a_sweep_of_any_content_is_refused_in_words(text: str) -> None:
    with pytest.raises(UserError, match="is damaged, or was not written by thaw"):
        schema.info_from_json(text)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", '{"candidate": 3}', "[" * 100_000])
def test_a_trial_of_any_content_is_refused_in_words(text: str) -> None:
    with pytest.raises(UserError, match="the trial in run r is damaged"):
        schema.trial_from_tags({"thaw.trial": text}, "r")
    with pytest.raises(UserError, match="the trial in run r is damaged"):
        schema.trial_from_tags({}, "r")


def test_a_whole_trial_reads() -> None:
    one = trial_info("deep-first", 3)
    assert schema.trial_from_tags({"thaw.trial": schema.trial_to_json(one)}, "r") == one


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(zlib.compress(bytes(MOST_BYTES + 1), 9)).decode(),
        base64.b64encode(zlib.compress(b"whole")[:-3]).decode(),
        "no base64!",
    ],
    ids=["bomb", "cut off", "text"],
)
def test_a_tag_that_unpacks_to_anything_is_refused(text: str) -> None:
    with pytest.raises((ValueError, zlib.error)):
        unpack(text)
    assert unpack(pack(b"whole")) == b"whole"


def test_names_of_sweeps() -> None:
    assert all(map(is_sweep_name, ("smoke", "a b", "Ö-1.2", "x" * 100)))
    assert not any(map(is_sweep_name, ("..", "a/b", "a\\b", " ", "x" * 101, "Default", "a\u202eb", "\ud800", None, 3)))


@pytest.mark.parametrize("run_id", ["a" * 32, "home"])
def test_a_server_s_address_of_a_run_deletes_nothing_of_others(run_id: str, tmp_path: Path) -> None:
    precious = tmp_path / "documents" / "checkpoints"
    precious.mkdir(parents=True)
    run = SimpleNamespace(info=SimpleNamespace(artifact_uri=precious.parent.as_uri()))
    store = Store(SimpleNamespace(get_run=lambda run_id: run), "http://elsewhere", None)  # type: ignore[arg-type]
    with pytest.raises(MlflowException, match="nothing is deleted in it"):
        store.delete_files(run_id, "checkpoints")
    assert precious.exists()
