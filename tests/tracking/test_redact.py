"""No secret of an address is ever shown."""

from __future__ import annotations

import pytest

from tracking.redact import redact


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("https://ann:hush@host:5000/x", "https://***@host:5000/x"),
        ("https://HUSH@host/x", "https://***@host/x"),
        ("http://u:hu/sh@host/", "http://***@host/"),
        ("http://u:hu@sh@host/x", "http://***@host/x"),
        ("error at postgresql+psycopg2://u:hu%40sh@h/db, sorry", "error at postgresql+psycopg2://***@h/db, sorry"),
        ("http://host/?token=hush&a=1", "http://host/?token=***&a=1"),
        ("http://host/?api_key=hush", "http://host/?api_key=***"),
        ("thaw run smoke --set 'x=http://u:hush@h/'", "thaw run smoke --set 'x=http://***@h/'"),
        ("http://host:5000 and ann@example.org", "http://host:5000 and ann@example.org"),
    ],
)
def test_redact(given: str, shown: str) -> None:
    assert redact(given) == shown
