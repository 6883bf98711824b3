"""The network: built or read, cut into blocks, frozen by a mask, kept as weights."""
