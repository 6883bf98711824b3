"""A sweep before its first trial: resolved, prepared, estimated, written down as a plan."""
