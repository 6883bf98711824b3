"""Training steps and predictions of one network, on the backend that is there: one contract, an engine for each way."""
