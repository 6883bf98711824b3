"""Files as they come: each format in a module of its own, all decoded into the same plain arrays."""
