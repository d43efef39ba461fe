"""Argon2id, bounded in how many run at once, and as slow for an unknown login as for a known one."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's first choice for Argon2id (Password Storage Cheat Sheet): 19 MiB, two passes, one lane.
_MEMORY_KIB = 19_456
_PASSES = 2
_AT_ONCE = 4


class Passwords:
    """Hashes and checks passwords. Any thread; blocks while ``_AT_ONCE`` others are at it."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=1)
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        self._nobody = self.hash("nobody has this password")

    def hash(self, password: str) -> str:
        with self._slots:
            return self._hasher.hash(password)

    def check(self, stored: str | None, password: str) -> bool:
        """Whether the password fits ``stored``. None takes as long and is never right."""
        with self._slots:
            try:
                return self._hasher.verify(stored or self._nobody, password) and stored is not None
            except (VerificationError, InvalidHashError):
                return False
