"""Settings: environment variables ``COLLECTION_*`` over one TOML file over defaults."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from collection_server.storage.settings import S3_LEAST_PART, StoreSettings

MIB = 1024 * 1024


class BadSettings(Exception):
    """A setting that cannot be used; the text is one sentence for the person who runs the server."""


RecordingMode = Literal["automatic", "voice", "manual"]


class Settings(BaseSettings, StoreSettings):
    """Everything that can be set. Sizes in bytes, times in seconds."""

    model_config = SettingsConfigDict(env_prefix="COLLECTION_", extra="forbid", hide_input_in_errors=True)

    data: Path = Path("collection-data")
    database_url: str = Field(default="", repr=False)
    """SQLAlchemy URL (``postgresql+psycopg://…``); empty means SQLite in the data directory."""
    host: str = "127.0.0.1"
    port: int = Field(default=8460, ge=0, le=65535)
    public_url: str = ""
    """Address that seats reach this server at, when it is not the one they were answered from (a proxy)."""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    timezone: str = ""
    """Where "today" begins, as an IANA name; empty means this machine's own zone."""
    idle_seconds: int = Field(default=8 * 3600, ge=60)
    sign_in_attempts: int = Field(default=5, ge=1)
    sign_in_wait_seconds: int = Field(default=60, ge=1)
    part_size: int = Field(default=4 * MIB, ge=64 * 1024, le=64 * MIB)
    max_recording_bytes: int = Field(default=1024 * MIB, ge=MIB)
    audio_cache_bytes: int = Field(default=64 * MIB, ge=0)
    offline_after_seconds: float = Field(default=5.0, gt=0)
    """How long a seat's socket may be away before the wallboard says offline."""
    recording_mode: RecordingMode = "automatic"
    recording_roles: dict[str, RecordingMode] = Field(default_factory=dict)
    """Mode by role, where it is another one."""
    recording_lines: dict[str, RecordingMode] = Field(default_factory=dict)
    """Mode by the id of a line; comes before the role's."""
    recording_codec: Literal["opus", "flac"] = "opus"
    opus_bit_rate_narrow: int = Field(default=37_000, ge=12_000, le=256_000)
    """Of both channels together at 8 kHz, bit/s."""
    opus_bit_rate_wide: int = Field(default=48_000, ge=16_000, le=256_000)
    """The same at 16 kHz."""
    recording_look_back_seconds: int = Field(default=0, ge=0, le=120)
    """On demand: how much of the call before the demand is taken in."""
    recording_pause_reasons: tuple[str, ...] = ("card_number", "identity_document")
    """What a recording may be paused for: these codes, or words of your own, shown as they are; empty for no pause."""
    recording_pause_limit_seconds: int = Field(default=60, ge=5, le=600)
    recording_pause_code: str = Field(default="", pattern=r"^([0-9*#]{2,8})?$")
    """Keys that pause the recording, and resume it, instead of going to the far end; empty for none."""
    gap_grace_hours: float = Field(default=24.0, ge=0, le=24 * 365)
    """How long a seat's number, or a call's recording, may be missing before that is an alarm for QA."""
    monitoring_visible: bool = False
    promise_max_days: int = Field(default=60, ge=1, le=366)
    cases_target: int = Field(default=90, ge=0)
    talk_target_seconds: int = Field(default=12_000, ge=0)
    line_idle_exit_seconds: int = Field(default=60, ge=1, le=86_400)
    """How long a seat's line process stays without a window and without a call."""
    upload_order: Literal["oldest", "newest"] = "oldest"
    """Which recordings seats send first."""
    upload_bytes_per_second: int = Field(default=0, ge=0)
    """Of a seat's line for all of its uploads together; 0: no limit."""
    retention_every_seconds: int = Field(default=86_400, ge=0)
    """How often what the rules say is destroyed; 0: by ``collection-server retention run`` only."""
    backup_folder: Path | None = None
    backup_every_seconds: int = Field(default=86_400, ge=60)
    backup_keep: int = Field(default=14, ge=1, le=1000)
    """How many snapshots of the database a back-up folder holds."""
    retrieval_by_qa: bool = False
    retrieval_keep_seconds: int = Field(default=86_400, ge=60)
    retrieval_max_recordings: int = Field(default=5000, ge=1, le=100_000)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            if name:
                ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("not a time zone") from error
        return name

    @property
    def zone(self) -> ZoneInfo | None:
        """For ``datetime.astimezone``; None is this machine's own."""
        return ZoneInfo(self.timezone) if self.timezone else None

    @property
    def upload_part_size(self) -> int:
        """Of new uploads."""
        return max(self.part_size, S3_LEAST_PART) if self.store == "s3" else self.part_size

    @property
    def sqlalchemy_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data / 'collection.db'}"

    def policy(self) -> dict[str, str | int | bool]:
        """What a seat is told at sign-in."""
        return {
            "recording_mode": self.recording_mode,
            "recording_codec": self.recording_codec,
            "monitoring_visible": self.monitoring_visible,
            "promise_max_days": self.promise_max_days,
            "cases_target": self.cases_target,
            "talk_target_seconds": self.talk_target_seconds,
            "line_idle_exit_seconds": self.line_idle_exit_seconds,
            "upload_order": self.upload_order,
            "upload_bytes_per_second": self.upload_bytes_per_second,
            "idle_seconds": self.idle_seconds,
            "timezone": self.timezone,
        }


def load_settings(**overrides: Any) -> Settings:
    """Settings of this process. ``overrides`` (None is ignored) win over the environment.

    The file is ``$COLLECTION_CONFIG``, else ``server.toml`` in the data directory when there is one.
    Raises ``BadSettings``.
    """
    given = {k: v for k, v in overrides.items() if v is not None}
    _refuse_unknown_variables()
    data = Path(given.get("data") or os.environ.get("COLLECTION_DATA") or "collection-data")
    named = os.environ.get("COLLECTION_CONFIG")
    path = Path(named) if named else data / "server.toml"
    from_file = _read_file(path) if named or path.exists() else {}
    for name in list(from_file):
        if f"COLLECTION_{name.upper()}" in os.environ:
            del from_file[name]
    try:
        return Settings(**{**from_file, **given})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        where = f"in {path.name}" if name in from_file else "in the environment or the arguments"
        raise BadSettings(f"The setting {name} {where} cannot be used: {first['msg']}.") from error


def _refuse_unknown_variables() -> None:
    known = {f"COLLECTION_{name.upper()}" for name in Settings.model_fields} | {"COLLECTION_CONFIG"}
    for name in os.environ:
        if name.startswith("COLLECTION_") and name not in known:
            raise BadSettings(f"The environment variable {name} is no setting of the collection server.")


def _read_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSettings(f"The configuration file {path} cannot be read.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"The configuration file {path} is not valid TOML: {error}.") from error
    unknown = sorted(set(values) - set(Settings.model_fields))
    if unknown:
        raise BadSettings(f"The configuration file {path} has an unknown key: {unknown[0]}.")
    return values
