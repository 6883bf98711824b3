"""A spec: TOML in, a checked description of what to try out; the shipped specs lie here, too."""
