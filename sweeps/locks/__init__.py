"""Who may do what now: locks between processes of one machine (files), or leases between machines (a database)."""
