"""Puts a seat together from its configuration: settings, keys, line process, sign-in."""

from __future__ import annotations

import logging

from agent_desktop.config import Config
from agent_desktop.line_setup import audio_config, line_config, system_authorities
from agent_desktop.services.desk import Desk
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.sign_in import KeptKeys, KeyringAway, SeatLine, SeatSettings, SignIn
from agent_desktop.ui.sign_in import PassphraseNeeded
from agent_desktop.ui.sign_in import SignIn as SignInWork

log = logging.getLogger(__name__)

LINE_ID = "line"


def seat_settings(config: Config) -> SeatSettings:
    """What signing in needs of the configuration; the lines' passwords come from the keyring."""
    return SeatSettings(
        server_url=config.server_url,
        data_dir=config.data_path,
        ca_file=config.ca_file,
        lines=tuple(SeatLine(line_config(line), line.dial_plan, line.name) for line in config.lines),
        audio=audio_config(config),
        local_host=config.local_host,
        local_port=config.local_port,
        tls_ca_file=system_authorities(),
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
