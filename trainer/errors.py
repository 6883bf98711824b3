"""Every exception of thaw's own.

    Exception
    ├── UserError         the user can fix it: one message, exit code 2, no traceback
    │   └── StoreAway     a server that holds the record does not answer; it may come back by itself
    ├── TrialFailed       this candidate cannot score; recorded, and the sweep goes on
    ├── FrozenBlockMoved  a bug: a frozen block changed; the sweep stops
    ├── WorkerCrashed     a bug that a worker process met; the sweep stops
    ├── LeaseLost         another worker has this trial now: nothing more is written for it, and the worker goes on
    ├── Preempted         this process was told to stop: what it trained is kept, and the trial is given back
    └── Drained           no error: the queue of candidates is empty

Any other exception is a bug and stops the sweep.
"""

from __future__ import annotations


class UserError(Exception):
    """A mistake that the user can fix: the message states the rule, what was given and what to do."""


class StoreAway(UserError):
    """The server that holds the record does not answer, or not now. Who can wait may ask again."""


class TrialFailed(Exception):
    """This trial cannot score (non-finite loss, dead block) and would fail again."""


class FrozenBlockMoved(Exception):
    """A block that the mask freezes changed, so no number of the trial can be trusted."""


class WorkerCrashed(Exception):
    """A worker met a bug; the message holds the end of its log and where the rest is."""


class LeaseLost(Exception):
    """This worker was thought dead, and another has taken its trial over: it must write nothing more for it."""


class Preempted(Exception):
    """This process was told to stop (SIGTERM): the state of its training is kept, and its trial can be given back."""


class Drained(Exception):
    """The queue is empty: there is nothing to hand out, and nothing is invented."""


def first_line(error: BaseException) -> str:
    """The first line of what an error says, at most 200 characters; its class where it says nothing."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0][:200]
