"""The whole report as data: one sweep, two sweeps side by side."""
