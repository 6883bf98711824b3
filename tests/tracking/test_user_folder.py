"""The user's folder where the system knows none."""

from __future__ import annotations

import pwd

import pytest

from tracking.user_folder import NOWHERE, user_folder


def nobody(uid: int) -> None:
    raise KeyError(uid)


@pytest.mark.parametrize(("home", "known", "folder"), [("/home/ann", True, "/home/ann"), (None, False, NOWHERE)])
def test_the_folder(monkeypatch: pytest.MonkeyPatch, home: str | None, known: bool, folder: str) -> None:
    if home is None:
        monkeypatch.delenv("HOME", raising=False)
    else:
        monkeypatch.setenv("HOME", home)
    if not known:
        monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert user_folder() == folder
