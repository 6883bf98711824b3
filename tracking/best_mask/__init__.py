"""Which mask is best: candidates, winner, ties, block effects, in one place."""
