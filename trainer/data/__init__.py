"""Images and masks: found, read, grouped, split, augmented, cached."""
