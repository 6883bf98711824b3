"""Which files belong together: folders, tables and patterns read as pairs of an image and its masks."""
