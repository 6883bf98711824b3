"""A proxy for tests that lets through only who says the right `Authorization`, as a lab's proxy or MLflow's basic auth
does.
"""

from __future__ import annotations

import http.client
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def guarded(port: int, authorization: str) -> Iterator[str]:
    """Guard the server that listens at `port` of this machine; yields the guard's own address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.headers.get("Authorization") != authorization:
                self._answer(401, [("WWW-Authenticate", 'Basic realm="lab"')], b"You are not authenticated.")
                return
            headers = {name: value for name, value in self.headers.items() if name not in ("Authorization", "Host")}
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            content = response.read()
            kept = [pair for pair in response.getheaders() if pair[0].lower() not in ("content-length", "connection")]
            self._answer(response.status, [pair for pair in kept if pair[0].lower() != "transfer-encoding"], content)
            connection.close()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _forward

        def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
