"""What hands candidates to workers: Optuna's queue, KerasTuner's oracles."""
