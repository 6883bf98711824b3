"""The network: built or read, divided into blocks, frozen by a mask, saved as weights."""
