"""From the configuration to what a line process is told: lines, passwords, headset, certificate authorities. No Qt."""

from __future__ import annotations

import logging
from pathlib import Path

from agent_desktop.config import Config, LineSettings
from telephony.messages import AudioConfig, LineConfig

log = logging.getLogger(__name__)

DEBIAN_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
PASSWORD_SERVICE = "agent-desktop-line"  # noqa: S105 - the keyring's name for it


def audio_config(config: Config) -> AudioConfig:
    """The headset that the configuration names."""
    return AudioConfig(config.audio.kind, config.audio.microphone, config.audio.speaker, config.audio.ringer)


def line_password_name(line: LineSettings) -> str:
    """Under which name the keyring holds the line's password."""
    return f"{line.auth_user or line.user}@{line.peer}"


def system_authorities() -> str:
    """The machine's own list of certificate authorities; PJSIP looks for none by itself."""
    import ssl

    import certifi

    paths = ssl.get_default_verify_paths()
    return next((path for path in (paths.cafile, DEBIAN_AUTHORITIES) if path and Path(path).exists()), certifi.where())


def line_config(line: LineSettings) -> LineConfig:
    """The line as the engine is told of it, with its password from the keyring."""
    return LineConfig(
        line_id=line.line_id,
        display_name=line.user,
        user=line.user,
        peer=line.peer,
        register=line.register,
        auth_user=line.auth_user,
        password=_line_password(line),
        transport=line.transport,
        allowed_peers=line.allowed_peers,
        backup_peer=line.backup_peer,
        srtp=line.srtp,
        tls_ca_file=line.ca_file,
        tls_name=line.tls_name,
        dtmf=line.dtmf,
        presented_number=line.presented_number,
        accept_any=line.accept_any,
        session_timer_s=line.session_timer_s,
        reliable_provisional=line.reliable_provisional,
    )


def _line_password(line: LineSettings) -> str:
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(PASSWORD_SERVICE, line_password_name(line)) or ""
    except KeyringError as error:
        log.warning("a line's password cannot be read from the keyring: %s", type(error).__name__)
        return ""
