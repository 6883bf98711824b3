"""The user's folder, where there is none: libraries ask for it when they are imported, and end in a traceback."""

from __future__ import annotations

import os

NOWHERE = "/nonexistent"  # as Debian calls the folder of users who have none


def user_folder() -> str:
    """The user's folder, or one that does not exist where the system knows none: no HOME, and no such user, as in
    containers. What would be kept there is then kept nowhere.
    """
    folder = os.path.expanduser("~")
    return NOWHERE if folder.startswith("~") else folder
