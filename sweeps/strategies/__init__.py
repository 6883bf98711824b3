"""Which candidate comes next: pure functions of a space and a history."""
