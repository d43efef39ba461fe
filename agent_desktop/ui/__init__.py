"""The windows. The only package that imports PySide6; knows services, never store or sync."""
