"""One sweep on its way: prepared, launched, worked off, recorded."""
