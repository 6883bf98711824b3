"""Nothing in the README is unexecuted: its commands, options and links exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trainer.data import layouts, published_layouts

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
Thaw = Callable[..., "subprocess.CompletedProcess[str]"]


def commands(program: str) -> list[str]:
    """Every command of `program` that the README shows, in blocks or in the text, without environment and comments."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", README, flags=re.DOTALL))
    found = [re.sub(r"^(?:[A-Z_]+=\S+ )+", "", text).removeprefix(".venv/bin/") for text in [*lines, *inline]]
    return sorted({text for text in found if text.startswith(f"{program} ")})


def test_the_readme_names_its_two_commands_first() -> None:
    assert re.findall(r"^make (\S+)", README, re.MULTILINE)[:2] == ["sweep-ultrasound", "test"]


@pytest.mark.parametrize("command", commands("make"))
def test_make_targets_and_their_values_exist(command: str) -> None:
    target, *values = shlex.split(command)[1:]
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE)
    shown = ["make", "--no-print-directory", "--dry-run", "-o", ".venv/.stamp", target]
    recipe = subprocess.run(shown, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [value for value in values if f"${{{value.split('=')[0]}:+" not in recipe] == []


@pytest.mark.parametrize("command", commands("thaw"))
def test_thaw_commands_and_their_options_exist(command: str, thaw_here: Thaw) -> None:
    words = shlex.split(command)[1:]
    subcommand = words[:2] if words[0] == "data" else words[:1]
    shown = thaw_here(*subcommand, "--help")
    assert shown.returncode == 0, shown.stderr
    assert [word for word in words if word.startswith("--") and word not in shown.stdout] == []


@pytest.mark.parametrize("spec", sorted({line.split()[2] for line in commands("thaw") if line.startswith("thaw run ")}))
def test_named_specs_are_shipped(spec: str) -> None:
    assert spec.endswith(".toml") or (ROOT / "sweeps" / "spec" / f"{spec}.toml").exists()


@pytest.mark.parametrize(
    "target", sorted(set(re.findall(r"\]\(([^)]+)\)", README + (ROOT / "CHANGELOG.md").read_text())))
)
def test_links_lead_somewhere(target: str) -> None:
    assert target.startswith("https://") or (ROOT / target).exists()


def test_the_layout_of_your_own_works_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = (block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "RULES" in block)
    namespace = dict(vars(published_layouts))
    exec(compile(example, "README.md", "exec"), namespace)
    monkeypatch.setattr(layouts, "RULES", namespace["RULES"])
    for name in ("2024/p01.jpg", "2024/p01-outline.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = layouts.recognise(tmp_path)
    assert (found.name, [pair.name for pair in found.pairs]) == ("clinic", ["p01"])


@pytest.mark.slow
def test_the_study_of_your_own_works_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = (block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "own_study" in block)
    for written, quick in (('"ultrasound"', '"smoke"'), ("[12]", "[1]"), ("epochs=12", "epochs=1"), ("=20", "=2")):
        assert written in example
        example = example.replace(written, quick)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    exec(compile(example, "README.md", "exec"), namespace)
    assert len(namespace["study"].trials) == 2 and (tmp_path / "runs" / "sweeps" / "my-study" / "plan.json").exists()


def test_the_readme_shows_before_it_tells() -> None:
    assert README.index("![") < README.index("```sh") < README.index("## ")


def test_the_picture_is_taken_from_a_synthetic_report_only(smoke_home: Path, tmp_path: Path) -> None:
    (report,) = (smoke_home / "reports").rglob("report.html")
    real = tmp_path / "real.html"
    real.write_text(report.read_text().replace("SYNTHETIC DATA", ""))
    made = tmp_path / "curve.svg"
    taken, refused = (
        subprocess.run([sys.executable, ROOT / "docs" / "picture.py", page, made], capture_output=True, check=False)
        for page in (report, real)
    )
    assert taken.returncode == 0 and ElementTree.parse(made).getroot().tag.endswith("svg")
    assert refused.returncode == 1 and b"must be stamped SYNTHETIC DATA" in refused.stderr
