"""A running sweep: its launcher, its workers, its objective, its messages."""
