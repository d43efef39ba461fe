"""Faults done for real to whole processes: what is lost, and whether every file is accounted for."""
