"""What lies in a folder: its image files in order, links and hidden files, and what a pattern matches."""
