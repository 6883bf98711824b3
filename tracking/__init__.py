"""What happened: MLflow runs, statistics, figures, reports. Of `trainer` it knows only `config` and `results`."""
