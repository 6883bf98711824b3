"""The report: page, text, Markdown, CSV, JSON."""
