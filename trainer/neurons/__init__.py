"""Activation maximisation: what excites a neuron most."""
