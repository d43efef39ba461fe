"""SIP calls and their media: the line engine, its protocol, and the practice line.

Imports nothing of the product but itself. Only this package imports ``pjsua2``.
"""
