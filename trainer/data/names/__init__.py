"""What the names of files and folders say: which are images, which masks, and which belong together."""
