"""Servers that do not answer, or answer something else, are named within seconds; secrets never are."""

from __future__ import annotations

import http.server
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tracking import server_probe
from tracking.server_probe import check_server, unreachable
from trainer.errors import UserError


@contextmanager
def answering(status: int, kind: str, body: bytes) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert "Authorization" not in self.headers
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextmanager
def listening(say: bytes | None = None) -> Iterator[int]:
    """A port that takes connections and says nothing (None), or something that is no HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(say or b"")

        if say is not None:
            threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]


def fault(uri: str) -> str:
    begun = time.monotonic()
    with pytest.raises(UserError, match="must be reachable") as caught:
        check_server(uri)
    assert time.monotonic() - begun < 9 and "hush" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind", "body", "words"),
    [
        (500, "text/plain", b"", "it answers with status 500"),
        (503, "text/html", b"<html>", "it answers with status 503"),
        (404, "text/html", b"<html>", "it answers with status 404"),
        (200, "text/html", b"<html>log in</html>", r"no MLflow server \(it sent text/html\)"),
        (200, "application/json", b"{", r"no MLflow server \(it sent application/json\)"),
    ],
)
def test_answers_of_other_servers(status: int, kind: str, body: bytes, words: str) -> None:
    with answering(status, kind, body) as port:
        assert re.search(words, fault(f"http://ann:hush@127.0.0.1:{port}/"))


@pytest.mark.parametrize(
    ("status", "body"), [(200, b'{"experiments": []}'), (401, b""), (403, b""), (307, b""), (308, b"")]
)
def test_an_mlflow_server_passes_and_so_does_one_that_asks_who_we_are_or_sends_us_elsewhere(
    status: int, body: bytes
) -> None:
    with answering(status, "application/json", body) as port:
        check_server(f"http://ann:hush@127.0.0.1:{port}/below/")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_port_that_says_nothing(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_probe, "SECONDS", 0.2)
    with listening() as port:
        assert "no answer within 0.2 seconds" in fault(f"{scheme}://ann:hush@127.0.0.1:{port}")


def hang(*_: object, **__: object) -> None:
    time.sleep(1)
    raise socket.gaierror


def test_a_name_server_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_probe, "DEADLINE", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    assert "no answer within 0.2 seconds" in fault("http://ann:hush@mlflow.lab")


@pytest.mark.parametrize(
    ("scheme", "say", "words"),
    [
        ("http", b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP"),
        ("http", b"", "does not speak HTTP"),
        ("https", b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak TLS"),
    ],
)
def test_a_port_of_something_else(scheme: str, say: bytes, words: str) -> None:
    with listening(say) as port:
        assert words in fault(f"{scheme}://ann:hush@127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("http://ann:hush@127.0.0.1:9", "connection refused"),
        ("postgresql+psycopg2://ann:hush@127.0.0.1:9/db", "connection refused"),
        ("http://ann:hush@no-such-host.invalid", "its name is unknown here"),
        ("http://ann:hush@host:99999", "the address cannot be read"),
        ("http://", "names no host"),
    ],
)
def test_addresses_that_lead_nowhere(uri: str, words: str) -> None:
    assert words in fault(uri)


@pytest.mark.parametrize("uri", ["sqlite:////srv/m.db", "file:///srv/mlruns", "databricks", "postgresql:///db", ""])
def test_addresses_without_a_server_are_not_asked(uri: str) -> None:
    check_server(uri)


@pytest.mark.parametrize(("status", "variable"), [(401, True), (403, True), (500, False)])
def test_who_is_not_let_in_is_told_how_to_say_who_they_are(status: int, variable: bool) -> None:
    said = str(unreachable("http://ann:hush@lab", f"the call failed with error code {status} != 200."))
    assert ("MLFLOW_TRACKING_TOKEN" in said) is variable and "hush" not in said
