"""Write docs/commands.md from the program itself: `python docs/make_commands.py docs/commands.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from sweeps.cli import app

HEAD = """# Commands

<!-- Made by `make commands` from the program; do not edit. -->

Every command is `.venv/bin/thaw` and a word. What stands in capitals is to be filled in; brackets hold what may be left
out. `.venv/bin/thaw --install-completion` teaches your shell to complete commands, options, and the names of specs and
sweeps.

Exit codes: 0 done; 1 a bug, with a traceback; 2 a mistake that you can fix, with one sentence; 3 the sweep has trials
without a score, or `doctor` leaves something to repair; 130 stopped.
"""


def page() -> str:
    """The whole page: a section for each command, in the order of `thaw --help`."""
    return "\n".join([HEAD, *(section(words, command) for words, command in commands("thaw", get_command(app)))])


def section(words: str, command: Any) -> str:
    """Heading, description, usage and a table of all arguments and options of one command."""
    description = "\n\n".join(_paragraphs(command.help))
    rows = "\n".join(_row(parameter) for parameter in command.params)
    examples = "".join(f"\n{text}\n" for text in _examples(command.epilog))
    table = f"| argument or option | meaning |\n| --- | --- |\n{rows}\n"
    return f"## {words}\n\n{description}\n\n```text\n{_usage(words, command)}\n```\n\n{table}{examples}"


def commands(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Every command that does something, with the words that call it."""
    if not hasattr(command, "commands"):
        yield words, command
        return
    for name, each in command.commands.items():
        yield from commands(f"{words} {name}", each)


def _usage(words: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    required = [_name(one) for one in command.params if one.required and one not in arguments]
    shown = [_name(one) if one.required else f"[{_name(one)}]" for one in arguments]
    return " ".join([words, *shown, *required, "[OPTIONS]"])


def _name(parameter: Any) -> str:
    """`SPEC` of an argument, `--workers N` of an option, `--dry-run` of a flag."""
    if parameter.param_type_name == "argument":
        return str(parameter.name).upper()
    value = {int: " N", float: " NUMBER", Path: " PATH", bool: ""}.get(parameter.type_descriptor.annotation, " TEXT")
    return f"{parameter.opts[0]}{value}"


def _row(parameter: Any) -> str:
    words = " ".join(_paragraphs(parameter.help))
    if parameter.default is not None and parameter.type_descriptor.annotation is not bool:
        words += f" Default: `{parameter.default}`."
    if parameter.envvar:
        words += f" Environment: `{parameter.envvar}`."
    return f"| `{_name(parameter)}` | {words.replace('|', chr(92) + '|')} |"


def _paragraphs(text: str | None) -> list[str]:
    return [" ".join(part.split()) for part in (text or "").split("\n\n")]


def _examples(epilog: str | None) -> Iterator[str]:
    """The commands of an epilogue as a block that a reader can copy; tests check them like any other."""
    lines = [part for part in _paragraphs(epilog) if part.startswith("thaw ")]
    if lines:
        yield "```sh\n" + "\n".join(f".venv/bin/{line}" for line in lines) + "\n```"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
