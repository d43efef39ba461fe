"""Recording of calls as evidence: sealed journal, finalised file, spool, upload and verification.

Imports nothing of the product but itself.
"""
