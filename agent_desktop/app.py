"""The desktop process: reads the command line and the configuration, shows the sign-in window, opens the desk.

Imports as little as it can before the first window is on screen (docs/decisions/0003-start-up-time.md).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent_desktop.config import Config, ConfigError, LineSettings, load_config

if TYPE_CHECKING:
    from agent_desktop.ui.sign_in import SignIn

CONFIG_STATUS = 2


def main(arguments: list[str] | None = None) -> int:
    """Entry point of ``agent-desktop``; returns the exit status."""
    options = _parser().parse_args(arguments)
    if options.command == "demo":
        from agent_desktop.demo.run import run_demo

        return run_demo(options.out, headless=options.headless)
    try:
        config = load_config(options.config)
    except ConfigError as error:
        return _refuse_config(error, show=options.command is None)
    if options.command == "line-password":
        return _keep_line_password(config, options.line)
    if options.command == "line":
        from agent_desktop.softphone import run_softphone

        return run_softphone(config, options.passphrase_file)
    return run_desk(config)


def run_desk(config: Config) -> int:
    """Show the sign-in window and work until the last window is closed."""
    from agent_desktop.logs import log_to_file

    log_to_file(config.data_path / "logs" / "desktop.log")
    from agent_desktop.ui.application import make_application

    app, preferences = make_application(config.data_path / "preferences.ini", config.language, config.theme)
    from agent_desktop.ui.shell import Shell

    shell = Shell(_sign_in_work(config), server=config.server_url, preferences=preferences)
    shell.show()
    status = app.exec()
    if shell.desk is not None:
        shell.desk.close()
    return status


def _sign_in_work(config: Config) -> SignIn:
    def work(login: str, password: str, passphrase: str) -> object:
        from agent_desktop.seat import product_sign_in

        return product_sign_in(config)(login, password, passphrase)

    return work


def _refuse_config(error: ConfigError, *, show: bool) -> int:
    print(error, file=sys.stderr)  # noqa: T201
    if show:
        from agent_desktop.ui.application import show_config_error

        show_config_error(str(error.path), error.sentence)
    return CONFIG_STATUS


def _keep_line_password(config: Config, line_id: str) -> int:
    import getpass

    import keyring
    from keyring.errors import KeyringError

    from agent_desktop.line_setup import PASSWORD_SERVICE, line_password_name

    line = _line_named(config, line_id)
    if line is None:
        return CONFIG_STATUS
    password = getpass.getpass(f"Password of line {line.line_id}: ")
    try:
        keyring.set_password(PASSWORD_SERVICE, line_password_name(line), password)
    except KeyringError:
        print("This machine has no keyring service, so the password cannot be kept.", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _line_named(config: Config, line_id: str) -> LineSettings | None:
    """The line that is meant; None, and a sentence to the person, when that cannot be known."""
    names = ", ".join(line.line_id for line in config.lines)
    if not config.lines:
        sentence = "The configuration has no [line] with a user."
    elif not line_id and len(config.lines) > 1:
        sentence = f"There are several lines: say which one, {names}."
    else:
        found = next((line for line in config.lines if line_id in ("", line.line_id)), None)
        if found is not None:
            return found
        sentence = f"There is no such line; the configuration has {names}."
    print(sentence, file=sys.stderr)  # noqa: T201
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="agent-desktop", description="The desk of a debt-collection call centre.")
    parser.add_argument("--config", type=Path, help="configuration file (TOML)")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    line = commands.add_parser("line", help="a softphone without a window: commands in, events out, one JSON a line")
    line.add_argument(
        "--json", action="store_true", required=True, help="speak the line protocol on standard in/output"
    )
    line.add_argument("--config", type=Path, default=argparse.SUPPRESS, help="configuration file (TOML)")
    line.add_argument("--passphrase-file", type=Path, help="where the seat's passphrase is, if its keys are under one")
    demo = commands.add_parser("demo", help="show the whole product working on this machine")
    demo.add_argument("--headless", action="store_true", help="play a scenario without a display, then end")
    demo.add_argument("--out", type=Path, default=Path("build/demo"), help="where the demo leaves its results")
    line_password = commands.add_parser("line-password", help="keep a SIP line's password in the keyring")
    line_password.add_argument("line", nargs="?", default="", metavar="LINE", help="which, when there are several")
    return parser
