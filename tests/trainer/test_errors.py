"""The tree at the head of the file is the file."""

from __future__ import annotations

import inspect
import re

from trainer import errors


def test_the_tree_names_every_exception_once() -> None:
    defined = [
        name for name, kind in vars(errors).items() if inspect.isclass(kind) and kind.__module__ == errors.__name__
    ]
    assert re.findall(r"[├└]── (\w+)", str(errors.__doc__)) == defined
    assert all(issubclass(getattr(errors, name), Exception) for name in defined)


def test_only_a_user_s_mistake_is_a_user_error() -> None:
    others = (errors.TrialFailed, errors.FrozenBlockMoved, errors.WorkerCrashed, errors.Drained)
    assert not any(issubclass(kind, errors.UserError) for kind in others)
