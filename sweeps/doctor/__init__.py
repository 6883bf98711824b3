"""One look at a home, its record and its study, and what a finding is; `checks` judge what was seen."""
