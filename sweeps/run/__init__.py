"""A sweep at work: launched, worked off, scored, recorded."""
