"""Nothing that is written goes unchecked: commands, options, specs, settings, paths, links, and what the code cites."""

from __future__ import annotations

import ast
import io
import re
import shlex
import subprocess
import tokenize
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from docs.make_commands import page
from sweeps.cli import app
from sweeps.spec.load import blocks_of, load_spec, shipped

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = {path: path.read_text() for path in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))}
CODE = [path for folder in ("sweeps", "trainer", "tracking", "tests", "docs") for path in (ROOT / folder).rglob("*.py")]
SPECS = list((ROOT / "sweeps" / "spec").glob("*.toml"))


def blocks(language: str) -> list[str]:
    """The code blocks of one language on all pages."""
    return [text for source in PAGES.values() for text in re.findall(rf"```{language}\n(.*?)```", source, re.DOTALL)]


def inline() -> set[str]:
    """What stands between single backticks in the running text of all pages."""
    return {
        text
        for source in PAGES.values()
        for text in re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", source, flags=re.DOTALL))
    }


def plain(line: str) -> str:
    """A command without comment, environment, `nohup` and redirection."""
    return re.sub(r"^(?:[A-Z_]+=\S+ |nohup )+", "", line.split("#")[0].split(" > ")[0].strip())


LINES = sorted({plain(line) for block in blocks("sh") for line in block.splitlines()})
THAW = [line.removeprefix(".venv/bin/") for line in LINES if line.startswith(".venv/bin/thaw ")]
RUNS = [line for line in THAW if line.startswith("thaw run ")]
MENTIONED = sorted(text for text in map(plain, inline()) if re.match(r"(?:\.venv/bin/)?thaw [a-z]", text))
MAKE = sorted({text for text in (*LINES, *map(plain, inline())) if text.startswith("make ")})
PYTHON = [line for line in LINES if line.startswith(".venv/bin/python ")]


def test_the_readme_shows_its_two_commands_first_and_is_short() -> None:
    assert re.findall(r"^make (\S+)", README, re.MULTILINE)[:2] == ["sweep-ultrasound", "test"]
    assert README.index("![") < README.index("```sh") < README.index("## ")
    assert len(README.splitlines()) <= 150


def test_every_page_is_linked_from_the_readme() -> None:
    assert [path.name for path in PAGES if path.parent.name == "docs" and f"(docs/{path.name})" not in README] == []


@pytest.mark.parametrize("command", MAKE)
def test_make_targets_and_their_values_exist(command: str) -> None:
    target, *values = shlex.split(command)[1:]
    extras = [extra for text in values if text.startswith("EXTRAS=") for extra in text.partition("=")[2].split()]
    renewed = [word for extra in extras for word in ("-W", f"requirements-{extra}.lock")]  # installed here or not
    shown = ["make", "--no-print-directory", "--dry-run", "-o", ".venv/.stamp", *renewed, target, *values]
    recipe = subprocess.run(shown, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name, value in (text.split("=") for text in values):
        assert f"${{{name}:+" in recipe or (
            name == "EXTRAS" and all(f"requirements-{extra}.lock" in recipe for extra in value.split())
        )


def called(line: str) -> tuple[Any, list[str]]:
    """The command that a line calls, and its arguments."""
    command, words = get_command(app), shlex.split(line)[1:]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    return command, words


@pytest.mark.parametrize("command", THAW)
def test_the_program_understands_each_command(command: str) -> None:
    parser, words = called(command)
    parser.make_context(command, words)  # raises for an unknown option, a missing argument, a value of the wrong type


@pytest.mark.parametrize("command", MENTIONED)
def test_commands_in_the_text_and_their_options_exist(command: str) -> None:
    parser, words = called(command.removeprefix(".venv/bin/"))
    known = {option for parameter in parser.params for option in parameter.opts} | {"--help"}
    assert [word for word in words if word.startswith("--") and word not in known] == []


@pytest.mark.parametrize("command", RUNS)
def test_specs_and_settings_of_each_run_are_accepted(command: str) -> None:
    spec, *words = shlex.split(command)[2:]
    if spec.endswith(".toml"):
        return
    options = [(word, value) for word, value in pairwise([*words, ""]) if word.startswith("--")]
    given = {word.removeprefix("--"): value for word, value in options if word in ("--data", "--pretrain", "--model")}
    assert spec in shipped() and load_spec(spec, sets=[value for word, value in options if word == "--set"], **given)


def test_tables_of_blocks_are_accepted() -> None:
    tables = [shlex.split(line)[-1] for line in THAW if "--blocks '" in line]
    assert tables and all(map(blocks_of, tables))


@pytest.mark.parametrize("command", PYTHON)
def test_scripts_and_their_options_exist(command: str) -> None:
    words = shlex.split(command)[1:]
    (script,) = (ROOT / word for word in words if word.endswith(".py"))
    assert script.exists()
    if "-m" not in words:
        assert [word for word in words if word.startswith("--") and f'"{word}"' not in script.read_text()] == []


def test_paths_in_the_text_exist() -> None:
    paths = {text for text in inline() if re.fullmatch(r"(?:sweeps|trainer|tracking|tests|docs)/[\w/.-]+", text)}
    assert paths and sorted(path for path in paths if not (ROOT / path).exists()) == []


def anchors(source: str) -> set[str]:
    """The addresses of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", source, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


LINKS = sorted({(path, target) for path, text in PAGES.items() for target in re.findall(r"\]\(([^)\s]+)\)", text)})


@pytest.mark.parametrize(
    ("source", "target"), LINKS, ids=lambda value: value.name if isinstance(value, Path) else value
)
def test_links_lead_somewhere(source: Path, target: str) -> None:
    if target.startswith("https://"):
        return
    name, _, anchor = target.partition("#")
    file = (source.parent / name).resolve() if name else source
    assert file.exists()
    assert not anchor or anchor in anchors(file.read_text())


def test_the_page_of_commands_is_what_the_program_says() -> None:
    assert (ROOT / "docs" / "commands.md").read_text() == page(), "run `make commands`"


def comments(path: Path) -> Iterator[str]:
    """The comments and docstrings of a module."""
    source = path.read_text()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""


CITING = {path: "\n".join(comments(path)) for path in CODE} | {path: path.read_text() for path in SPECS}


def missing(text: str) -> list[str]:
    """What `text` cites and the repository does not hold: documents, numbered facts and decisions, issues."""
    documents = re.findall(r"[\w/-]+\.md\b", text)
    wrong = [name for name in documents if not (ROOT / name).exists() and not (ROOT / "docs" / name).exists()]
    facts = (ROOT / "docs" / "facts.md").read_text()
    for library, number in re.findall(r"facts\.md,? (Keras|Optuna|MLflow|KerasTuner) (\d+)", text):
        section = re.search(rf"^## {library} .*?(?=^## )", facts, re.MULTILINE | re.DOTALL)
        if section is None or f"\n{number}. " not in section[0]:
            wrong.append(f"facts.md, {library} {number}")
    design = (ROOT / "docs" / "design.md").read_text()
    wrong += [f"decision {number}" for number in re.findall(r"decision (\d+)", text) if f"\n{number}. " not in design]
    return wrong + re.findall(r"\bissue \d+", text)


@pytest.mark.parametrize("path", CITING, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_code_cites_only_what_is_in_the_repository(path: Path) -> None:
    assert missing(CITING[path]) == []


@pytest.mark.parametrize("text", ["plan.md", "facts.md, Keras 99", "design.md, decision 99", "issue 7"])
def test_a_wrong_citation_is_noticed(text: str) -> None:
    assert len(missing(text)) == 1


def test_no_text_installs_anything_from_an_index_by_hand() -> None:
    """The name thaw in the public package index belongs to another project, and a bare pip installs beside thaw."""
    files = (*PAGES, *SPECS, ROOT / "Makefile", ROOT / "pyproject.toml", *CODE)
    texts = [path.read_text() for path in files if path.parent.name != "tests"]
    installing = re.compile(r".*\b(?:pip3?|pipx|conda|uv|uv tool|uv pip)\b (?:install|add)\b.*")
    allowed = re.compile(r"\.venv/bin/python -m pip|\$\(BIN\)/python -m pip|uv pip install --quiet --python \.venv")
    lines = {line for text in texts for line in installing.findall(text)}
    assert lines and [line for line in lines if not allowed.search(line)] == []
    assert [line for line in lines if re.search(r"install\b[^#`']*\bthaw\b", line)] == []
