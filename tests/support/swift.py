"""A really running OpenStack Swift with its S3 API, for tests of the object store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collection_server.storage.settings import StoreSettings

ACCESS_KEY, SECRET_KEY, BUCKET = "agency:recorder", "secretkey", "recordings"
START_SECONDS = 60.0
_SERVER = Path(__file__).with_name("swift_server.py")


@dataclass
class Swift:
    """``start`` it; after ``kill`` it can be started again with everything that it had, at the same address."""

    home: Path
    min_part: int = 5 * 1024 * 1024
    url: str = ""
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    def start(self) -> Swift:
        self.home.mkdir(parents=True, exist_ok=True)
        port = self.url.rsplit(":", 1)[1] if self.url else "0"
        with (self.home / "stderr.txt").open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-W", "ignore", str(_SERVER), str(self.home), port],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "MIN_PART": str(self.min_part)},
            )
        guard = threading.Timer(START_SECONDS, self.process.kill)
        guard.start()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        guard.cancel()
        if not line:
            self.kill()
            raise AssertionError((self.home / "stderr.txt").read_text()[-2000:])
        self.url = json.loads(line)["url"]
        return self

    def kill(self) -> None:
        """As a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    stop = kill

    def settings(self, **changes: Any) -> StoreSettings:
        known = {"s3_endpoint": self.url, "s3_bucket": BUCKET}
        keys = {"s3_access_key": ACCESS_KEY, "s3_secret_key": SECRET_KEY}
        return StoreSettings(**({"store": "s3"} | known | keys | changes))

    def environment(self, **changes: str) -> dict[str, str]:
        """The same for a server in another process."""
        known = {"STORE": "s3", "S3_ENDPOINT": self.url, "S3_BUCKET": BUCKET}
        keys = {"S3_ACCESS_KEY": ACCESS_KEY, "S3_SECRET_KEY": SECRET_KEY}
        return {f"COLLECTION_{name}": value for name, value in (known | keys | changes).items()}

    def client(self) -> Any:
        """boto3's own, to look behind the store's back."""
        from collection_server.storage.s3_client import S3Client

        return S3Client(self.settings()).own

    def make_bucket(self, name: str = BUCKET) -> None:
        self.client().create_bucket(Bucket=name)
