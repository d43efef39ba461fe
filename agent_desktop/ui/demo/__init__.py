"""Drives the real widgets as a person would, for the played demo."""
