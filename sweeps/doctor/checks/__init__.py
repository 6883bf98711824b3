"""What is looked for: one function of a `Look` for each kind of finding. None of them writes."""
