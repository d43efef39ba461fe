"""Where the recordings are kept: settings of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field, SecretStr, model_validator

S3_LEAST_PART = 5 * 1024 * 1024
"""S3 takes no smaller parts but the last."""
S3_LARGEST_COPY = 5 * 1024**3
"""S3 copies no larger object in one request."""


class StoreSettings(BaseModel):
    """Part of the server's settings."""

    store: Literal["disk", "s3"] = "disk"
    """``disk``: ``recordings/`` in the data directory."""
    s3_endpoint: str = ""
    """Address of an S3-compatible store; empty for Amazon's own."""
    s3_seat_endpoint: str = ""
    """The address that seats reach it at, when it is another one."""
    s3_region: str = "us-east-1"
    s3_bucket: str = ""
    s3_prefix: str = Field(default="", pattern=r"^([A-Za-z0-9._-]+/)*$")
    """Before every key, ending in ``/``."""
    s3_access_key: str = Field(default="", repr=False)
    """Empty for what the machine provides (environment, instance role)."""
    s3_secret_key: SecretStr = SecretStr("")
    s3_ca_file: Path | None = None
    s3_path_style: bool = True
    s3_direct: bool = True
    """Whether seats send parts to the store themselves; else through this server."""
    s3_address_seconds: int = Field(default=900, ge=1, le=7 * 86_400)
    """How long the address of a part is good."""
    s3_lock_mode: Literal["compliance", "governance", "none"] = "compliance"
    """Where the bucket has Object Lock."""
    s3_lock_days: int = Field(default=730, ge=1, le=36_500)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.store == "s3" and not self.s3_bucket:
            raise ValueError("the store s3 needs s3_bucket")
        if bool(self.s3_access_key) != bool(self.s3_secret_key.get_secret_value()):
            raise ValueError("s3_access_key and s3_secret_key belong together")
        return self
