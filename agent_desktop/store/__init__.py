"""The seat's own copy of its work: SQLAlchemy on SQLCipher. Any thread; one worker thread writes."""
