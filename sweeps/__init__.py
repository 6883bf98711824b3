"""What to try: the command line, specs, spaces, engines, workers. Nothing imports this package."""
