"""What may be wrong with a home, its record and its study: a module for each kind of finding, which only looks."""
