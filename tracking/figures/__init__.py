"""Drawings of a report, readable in print and in grey."""
