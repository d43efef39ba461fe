"""The collection server: cases, notes, calls, recordings, monitoring grants and audit behind one HTTP API.

Imports nothing of the product but itself; clients meet it only over HTTP.
"""
