"""Training and scoring: one candidate by cross-validation, its ledger, its metrics."""
