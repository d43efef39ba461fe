"""Puts a seat together from its configuration: settings, keys, line process, sign-in."""

from __future__ import annotations

import logging
from pathlib import Path

from agent_desktop.config import Config, LineSettings
from agent_desktop.services.desk import Desk
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.sign_in import KeptKeys, KeyringAway, SeatLine, SeatSettings, SignIn
from agent_desktop.ui.sign_in import PassphraseNeeded
from agent_desktop.ui.sign_in import SignIn as SignInWork
from telephony.messages import AudioConfig, LineConfig

log = logging.getLogger(__name__)

LINE_ID = "line"
DEBIAN_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
PASSWORD_SERVICE = "agent-desktop-line"  # noqa: S105 - the keyring's name for it


def seat_settings(config: Config) -> SeatSettings:
    """What signing in needs of the configuration; the lines' passwords come from the keyring."""
    return SeatSettings(
        server_url=config.server_url,
        data_dir=config.data_path,
        ca_file=config.ca_file,
        lines=tuple(SeatLine(_line_config(line), line.dial_plan, line.name) for line in config.lines),
        audio=AudioConfig(config.audio.kind, config.audio.microphone, config.audio.speaker, config.audio.ringer),
        local_host=config.local_host,
        local_port=config.local_port,
        tls_ca_file=_system_authorities(),
    )


def sign_in_work(sign_in: SignIn) -> SignInWork:
    """What the sign-in window calls on a pool thread."""

    def work(login: str, password: str, passphrase: str) -> Desk:
        try:
            return sign_in.sign_in(login, password, passphrase)
        except KeyringAway as away:
            raise PassphraseNeeded(new=away.first_time) from away
        except DeskError as error:
            if error.problem is not Problem.STORE_DAMAGED:
                raise
            log.error("the local store cannot be read; it is set aside and filled again from the server")
            return sign_in.sign_in(login, password, passphrase, rebuild_store=True)

    return work


def product_sign_in(config: Config) -> SignInWork:
    """Sign-in of a real seat: keys in the keyring, a line process of its own."""
    from agent_desktop.services.line_supervisor import start_line

    settings = seat_settings(config)
    return sign_in_work(SignIn(settings, KeptKeys(settings.data_dir), start_line))


def line_password_name(line: LineSettings) -> str:
    """Under which name the keyring holds the line's password."""
    return f"{line.auth_user or line.user}@{line.peer}"


def _system_authorities() -> str:
    """The machine's own list of certificate authorities; PJSIP looks for none by itself."""
    import ssl

    import certifi

    paths = ssl.get_default_verify_paths()
    return next((path for path in (paths.cafile, DEBIAN_AUTHORITIES) if path and Path(path).exists()), certifi.where())


def _line_config(line: LineSettings) -> LineConfig:
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
