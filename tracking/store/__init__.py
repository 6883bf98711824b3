"""MLflow: connection, what is written, what is read back, the model registry."""
