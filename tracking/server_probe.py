"""Whether the server of a tracking address answers, asked before anything else: MLflow's own tries take minutes.

Only the standard library is used, so that the answer is there before MLflow, or Keras, is imported. No secret is sent.
"""

from __future__ import annotations

import http.client
import json
import queue
import re
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from tracking.redact import redact
from trainer.errors import StoreAway, UserError

SECONDS = 5.0  # for one answer; longer than any healthy server takes
DEADLINE = 7.0  # for everything, looking the name up included
ASKED = "/api/2.0/mlflow/experiments/search"
MLFLOW_KNOWS = (401, 403, 307, 308)  # who we are; and where else to ask, which urllib does not with what is sent
DATABASE_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}


def unreachable(uri: str, reason: str, kind: type[UserError] = UserError) -> UserError:
    """What to say of a store that cannot be opened; `reason` is a sentence without secrets. `kind`: `StoreAway` for one
    that may come back by itself.
    """
    if re.search(r"\b40[13]\b", reason):
        return UserError(
            f"The MLflow server {redact(uri)} must let us in, but it does not: {reason} Set MLFLOW_TRACKING_USERNAME "
            "and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, to what that server knows."
        )
    return kind(
        f"The MLflow store must be reachable, but {redact(uri)} is not: {reason} Start that server or fix the address "
        "(MLFLOW_TRACKING_URI); without one, thaw keeps its own database under --home."
    )


def check_server(uri: str) -> None:
    """Raise `UserError` within seconds where a server is named that does not answer, or that is none of MLflow.

    Addresses of files say nothing of a server and pass. A server that asks who we are passes, too, and one that sends
    us to another address: MLflow answers the one and follows the other.
    """
    answers: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=lambda: answers.put(_fault(uri)), daemon=True).start()  # a name server may hang
    try:
        fault = answers.get(timeout=DEADLINE)
    except queue.Empty:
        fault = f"there was no answer within {DEADLINE:g} seconds"
    if fault is not None:
        raise unreachable(uri, f"{fault}.", StoreAway)


def wait_for_server(uri: str, say: Callable[[str], object], seconds: float, pause: float = 2.0) -> None:
    """Return once the server answers (`check_server`); `say` is told when it must be waited for.

    Raises `UserError` when it has not answered for so many `seconds`.
    """
    began, told = time.monotonic(), False
    while True:
        try:
            check_server(uri)
        except UserError:
            if time.monotonic() - began > seconds:
                raise
            if not told:
                say(f"MLflow at {redact(uri)} does not answer; waiting for it.")
                told = True
            time.sleep(pause)
        else:
            return


def _fault(uri: str) -> str | None:
    """What is wrong with the server, in words; None where nothing is, and where no server is named."""
    try:
        address = urlsplit(uri)
        scheme, host, port = address.scheme.split("+")[0], address.hostname, address.port
        if scheme in ("http", "https"):
            return _ask(address) if host else "the address names no host"
        if scheme in DATABASE_PORTS and host:
            socket.create_connection((host, port or DATABASE_PORTS[scheme]), timeout=SECONDS).close()
    except ValueError:
        return "the address cannot be read"
    except OSError as error:
        return _words(error)
    return None


def _ask(address: SplitResult) -> str | None:
    place = f"[{address.hostname}]" if ":" in str(address.hostname) else str(address.hostname)
    url = f"{address.scheme}://{place}{f':{address.port}' if address.port else ''}{address.path.rstrip('/')}{ASKED}"
    request = urllib.request.Request(url, b'{"max_results": 1}', {"Content-Type": "application/json"})
    trusting = ssl._create_unverified_context()  # who it is, MLflow checks, by the certificates that it was given
    try:
        with urllib.request.urlopen(request, timeout=SECONDS, context=trusting) as response:
            kind = response.headers.get_content_type()
            json.loads(response.read())
    except urllib.error.HTTPError as error:
        return None if error.code in MLFLOW_KNOWS else f"it answers with status {error.code}"
    except urllib.error.URLError as error:
        return _words(error.reason) if isinstance(error.reason, OSError) else "the address cannot be read"
    except http.client.HTTPException:
        return "what listens there does not speak HTTP (https:// in place of http://?)"
    except OSError as error:
        return _words(error)
    except ValueError:
        return f"what answers there is no MLflow server (it sent {kind})"
    return None


def _words(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return f"there was no answer within {SECONDS:g} seconds"
    if isinstance(error, socket.gaierror):
        return "its name is unknown here"
    if isinstance(error, ssl.SSLError):
        return "what listens there does not speak TLS (http:// in place of https://?)"
    if isinstance(error, http.client.RemoteDisconnected | ConnectionResetError):
        return "what listens there does not speak HTTP (https:// in place of http://?)"
    return (error.strerror or type(error).__name__).lower()
