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
        ("postgresql://ann:it's@h/d", "postgresql://***@h/d"),
        ("host=h password='hu sh' dbname=d", "host=h password=*** dbname=d"),
        ("PGPASSWORD=hush psql", "PGPASSWORD=*** psql"),
        ("{'user': 'ann', 'password': 'hush'}", "{'user': 'ann', 'password': ***}"),
        ("{'Authorization': 'Bearer hush.hush'}", "{'Authorization': 'Bearer ***'}"),
        ("Authorization: Basic aHVzaA==", "Authorization: Basic ***"),
        ("http://host:5000 and ann@example.org", "http://host:5000 and ann@example.org"),
    ],
)
def test_redact(given: str, shown: str) -> None:
    assert redact(given) == shown


@pytest.mark.parametrize(
    ("variable", "value", "given", "shown"),
    [
        ("PGPASSWORD", "hush!", "FATAL: 'hush!' is wrong", "FATAL: '***' is wrong"),
        ("MLFLOW_TRACKING_TOKEN", "hush", "Bearer hush", "Bearer ***"),
        ("THAW_STORAGE", "postgresql://ann:hu%40sh@h/d", "hu@sh, hu%40sh", "***, ***"),
        ("THAW_STORAGE", "postgresql://ann:abcd@wxyz@h/d", "no host 'wxyz@h'", "no host '***@h'"),
        ("THAW_STORAGE", "postgresql://ann:abcd/wxyz@h/d", "no database 'wxyz@h/d'", "no database '***@h/d'"),
        ("THAW_STORAGE", "postgresql://h/d?user=ann&password=hush", "got hush", "got ***"),
        ("THAW_STORAGE", "postgresql://thaw@h/d", "thaw run", "thaw run"),
        ("THAW_STORAGE", "postgresql://ann:abc@h/d", "abc is too short to be looked for", None),
        ("MLFLOW_TRACKING_URI", "http://ann:hush@h:5000", "Basic YW5uOmh1c2g=", "Basic ***"),
        ("MLFLOW_TRACKING_URI", "http://hush@h:5000", "401 for hush", "401 for ***"),
        ("https_proxy", "http://ann:hush@proxy", "proxy refused hush", "proxy refused ***"),
        ("SHELL", "/bin/bash", "/bin/bash", None),
    ],
)
def test_what_the_environment_holds_goes_in_every_form(
    variable: str, value: str, given: str, shown: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert redact(given) == (given if shown is None else shown)
