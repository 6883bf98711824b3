"""Who starts a sweep's workers: this machine, Ray, SLURM. They only start them; the study hands out the work."""
