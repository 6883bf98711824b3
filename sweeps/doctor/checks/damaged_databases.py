"""Damaged SQLite databases. They are never touched: what is in them is nowhere else."""

from __future__ import annotations

from sweeps.doctor.finding import Finding
from sweeps.doctor.look import Look

KIND = "damaged database"
ADVICE = {
    "mlflow.db": "put back a copy of it, or save what can be read: sqlite3 FILE .recover",
    "optuna.db": "put back a copy of it, or delete it: the sweep's command makes it anew from MLflow",
}


def damaged_databases(look: Look) -> list[Finding]:
    """One finding for each database of the home that SQLite's own check complains about; nothing in it is judged."""
    return [Finding(KIND, str(path), f"SQLite says: {fault}", ADVICE[path.name]) for path, fault in look.faults.items()]
