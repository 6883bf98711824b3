"""The machine around a sweep: its home, Keras's backend, the terminal, what is free."""
