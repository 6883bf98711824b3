"""What a person sees: the report page and the MLflow UI over the `smoke` sweep, opened in headless Chromium."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from tests.component import missing

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium")
Thaw = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class Visit:
    """One opened page: its text after scripts ran, console messages, and requests that the page itself sent out."""

    text: str
    console: tuple[str, ...]
    requests: tuple[str, ...]
    screenshot: Path


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def visible_text(page: str) -> str:
    """Text of an HTML page without scripts and styles, runs of white space made one space."""
    parser = _Text()
    parser.feed(page)
    return " ".join(" ".join(parser.parts).split())


def sent_by_the_page(net_log: Path) -> tuple[str, ...]:
    """Addresses that the page asked for; the browser's own errands (initiator "not an origin") are left out."""
    log = json.loads(net_log.read_text())
    started = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    asked = [
        event["params"] for event in log["events"] if event["type"] == started and "url" in event.get("params", {})
    ]
    return tuple(params["url"] for params in asked if params.get("initiator") != "not an origin")


@pytest.fixture(scope="session")
def browser() -> str:
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    missing("no Chromium found: install the package `chromium` to run the browser tests")


@pytest.fixture
def visit(browser: str, tmp_path: Path) -> Callable[[str], Visit]:
    def open_page(address: str) -> Visit:
        options = [
            "--headless=new",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # nothing outside is ever reached
            "--window-size=1280,2400",
            "--virtual-time-budget=20000",
            "--enable-logging=stderr",
            "--v=0",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            options.append("--no-sandbox")  # Chromium refuses to run as root otherwise
        net_log, screenshot = tmp_path / "net.json", tmp_path / "page.png"

        def run(name: str, *more: str) -> subprocess.CompletedProcess[str]:
            command = [browser, *options, f"--user-data-dir={tmp_path / name}", *more, address]
            return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

        dumped = run("dump", "--dump-dom", f"--log-net-log={net_log}")
        run("shot", f"--screenshot={screenshot}")
        return Visit(
            text=visible_text(dumped.stdout),
            console=tuple(re.findall(r'CONSOLE[:(]\d+\)?\] "(.*)", source', dumped.stderr)),
            requests=sent_by_the_page(net_log),
            screenshot=screenshot,
        )

    return open_page


def test_a_bad_page_is_noticed(visit: Callable[[str], Visit], tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text(
        "<p id=v>before</p><script>document.getElementById('v').textContent = 'after'; console.error('broken')</script>"
        "<img src='https://example.org/tracker.png'>"
    )
    visited = visit(page.as_uri())
    assert visited.text == "after"
    assert visited.console == ("broken",)
    assert visited.requests == ("https://example.org/tracker.png",)


def test_the_report_page_opens_alone_and_says_the_verdict(
    visit: Callable[[str], Visit], thaw_here: Thaw, smoke_home: Path, tmp_path: Path
) -> None:
    for form in ("html", "json"):
        done = thaw_here("report", "--format", form, "--out", tmp_path / "report", "--home", smoke_home)
        assert done.returncode == 0, done.stderr
    (page,) = (tmp_path / "report").rglob("*.html")
    (numbers,) = (tmp_path / "report").rglob("*.json")
    visited = visit(page.as_uri())
    finding, reasons = json.loads(numbers.read_text())["verdict"]["sentence"].split(": ", 1)  # headline and text below
    assert finding.lower() in visited.text.lower()
    assert " ".join(reasons.split()).lower() in visited.text.lower()
    assert "synthetic" in visited.text.lower()
    assert visited.console == ()
    assert visited.requests == ()
    colours = Image.open(visited.screenshot).convert("RGB").getcolors(1 << 24)
    assert colours is not None and len(colours) > 10  # not a blank page


def test_pointer_sort_and_filter_work_on_the_page(
    visit: Callable[[str], Visit], smoke_home: Path, tmp_path: Path
) -> None:
    (written,) = (smoke_home / "reports").rglob("report.html")
    page = tmp_path / "report.html"
    act = """<script>
      const mark = document.querySelector("[data-hover]");
      mark.dispatchEvent(new PointerEvent("pointermove", {clientX: 300, clientY: 500}));
      const table = document.querySelector("table.filterable");
      const parameters = () => [...table.tBodies[0].rows].filter(row => !row.hidden && row.cells[1].textContent)
        .map(row => row.cells[4].textContent);
      const say = (name, text) => document.body.append(` ${name}=${text};`);
      say("hint", document.getElementById("hint").textContent);
      const head = [...table.querySelectorAll("th")].find(one => one.textContent === "parameters");
      head.click(); say("up", parameters().join("/"));
      head.click(); say("down", parameters().join("/"));
      const choice = document.querySelector(".filter select");
      choice.value = "deep"; choice.dispatchEvent(new Event("change"));
      const rows = [...table.tBodies[0].rows].filter(row => !row.hidden);
      say("orders", rows.map(row => row.cells[1].textContent).join("/"));
    </script></body>"""
    page.write_text(written.read_text().replace("</body>", act))
    visited = visit(page.as_uri())
    assert visited.console == ()
    printed = dict(re.findall(r"(\w+)=(.*?);", visited.text[visited.text.rindex("hint=") :]))
    assert re.match(r"shallow-first \d \(.+\): 0\.\d{3} folds 0\.\d{3} · ", printed["hint"])
    up, down = ([int(text.replace(",", "")) for text in printed[key].split("/")] for key in ("up", "down"))
    assert len(up) > 2 and up == sorted(up) and down == up[::-1]
    orders = [text for text in printed["orders"].split("/") if text]
    assert orders and all("deep" in text for text in orders)


@pytest.fixture(scope="module")
def mlflow_ui(smoke_home: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from sweeps.cli import main; main()", "ui", "--port", str(port)]
    server = subprocess.Popen(
        command,
        env={**os.environ, "THAW_HOME": str(smoke_home)},
        cwd=Path(__file__).parents[1],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while not _answers(address):
            assert server.poll() is None, f"`thaw ui` ended by itself with {server.returncode}"
            assert time.monotonic() < deadline, "`thaw ui` did not answer within two minutes"
            time.sleep(0.5)
        yield address
    finally:
        os.killpg(server.pid, 15)  # `thaw ui` ends the server and its workers
        server.wait(30)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.slow
def test_the_mlflow_ui_shows_the_sweep(visit: Callable[[str], Visit], mlflow_ui: str) -> None:
    request = urllib.request.Request(
        f"{mlflow_ui}/api/2.0/mlflow/experiments/search",
        data=json.dumps({"max_results": 20}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        experiments = {
            experiment["experiment_id"]: experiment["name"] for experiment in json.load(answer)["experiments"]
        }
    ours = [name for number, name in experiments.items() if number != "0"]
    assert ours, "only MLflow's own Default experiment: `thaw ui` serves another database than the sweep's"
    visited = visit(f"{mlflow_ui}/#/experiments")
    assert [name for name in ours if name not in visited.text] == []
    assert [address for address in visited.requests if not address.startswith(mlflow_ui)] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "shown", "hidden"),
    [
        (
            "trials",
            ("Trials by Dice, baselines included", "dice", "dice_sd", "dice_sem", "mask", "order", "9 matching runs"),
            "Source",
        ),
        ("images", ("Charts and images", "Scores (2)", "Predictions (1)"), "dice/fold_1"),
    ],
)
def test_the_printed_addresses_open_what_they_promise(
    visit: Callable[[str], Visit], mlflow_ui: str, smoke_home: Path, page: str, shown: tuple[str, ...], hidden: str
) -> None:
    printed = (smoke_home / "said.txt").read_text()
    (address,) = re.findall(rf"^  {page} +http://127\.0\.0\.1:5000(\S+)$", printed, re.MULTILINE)
    visited = visit(f"{mlflow_ui}{address}")
    assert [text for text in shown if text not in visited.text] == []
    assert hidden not in visited.text
    assert "Synthetic data: no claim" in visited.text  # the end of the verdict, above the list
