"""The collector's workspace."""
