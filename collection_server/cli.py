"""``collection-server``: set up, serve, upgrade, accounts, the OpenAPI document."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from collection_server import cli_store
from collection_server.cli_store import Data, Stop, open_server
from collection_server.settings import BadSettings, Settings, load_settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from collection_server.auth.permissions import Role
    from collection_server.context import Server

OPENAPI = Path(__file__).with_name("openapi.json")

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="The collection server.", pretty_exceptions_enable=False
)


app.add_typer(cli_store.retention, name="retention")
app.command()(cli_store.backup)
app.command()(cli_store.restore)


@app.command()
def init(
    data: Data = None,
    demo: Annotated[bool, typer.Option(help="Fill it with invented accounts and cases")] = False,
    seed: Annotated[int, typer.Option(help="Of the invented data")] = 1,
) -> None:
    """Make a data directory: database, keys and the first account."""
    from collection_server.demo import load
    from collection_server.setup import AlreadySetUp, initialise

    settings = load_settings(data=data)
    told: list[str] = []

    def fill(session: Session, server: Server) -> None:
        if demo:
            load.load_demo(session, server.passwords, server.clock(), settings.zone, seed)
            told.extend(f"{a.login:<8} {a.role.value:<14} {a.name}" for a in load.ACCOUNTS)
            told.append(f"password of all: {load.PASSWORD}")
        else:
            told.append(f"login admin, password {_first_account(session, server)}")

    try:
        initialise(settings, fill)
    except AlreadySetUp as error:
        raise Stop(str(error)) from error
    print(f"set up {settings.data}", *told, sep="\n")


def _first_account(session: Session, server: Server) -> str:
    from collection_server.auth.permissions import Role
    from collection_server.setup import add_account

    role = Role.ADMINISTRATOR
    return add_account(
        session, server.passwords, server.clock(), login="admin", name="Administrator", role=role, team=""
    )


@app.command("user-add")
def user_add(
    login: str,
    name: Annotated[str, typer.Option()],
    role: Annotated[str, typer.Option(help="collector, lead, qa, data_officer or administrator")],
    team: Annotated[str, typer.Option()] = "",
    data: Data = None,
) -> None:
    """Add an account and print its password."""
    from sqlalchemy.exc import IntegrityError

    from collection_server.setup import add_account

    server = open_server(load_settings(data=data))
    try:
        with server.db.write() as session:
            password = add_account(
                session, server.passwords, server.clock(), login=login, name=name, role=_role(role), team=team
            )
    except IntegrityError as error:
        raise Stop(f"The login {login} is taken.") from error
    finally:
        server.db.dispose()
    print(f"login {login}, password {password}")


def _role(text: str) -> Role:
    from collection_server.auth.permissions import Role

    try:
        return Role(text)
    except ValueError as error:
        raise Stop(f"The role must be one of {', '.join(Role)}.") from error


@app.command()
def upgrade(data: Data = None) -> None:
    """Bring the database to this version's schema."""
    from collection_server import setup

    setup.upgrade(load_settings(data=data))


@app.command()
def serve(
    data: Data = None,
    host: Annotated[str | None, typer.Option()] = None,
    port: Annotated[int | None, typer.Option(help="0 takes a free one")] = None,
    ready_json: Annotated[bool, typer.Option(help="Also print a JSON line when ready")] = False,
    with_parent: Annotated[bool, typer.Option(help="Also end when standard input is closed")] = False,
) -> None:
    """Serve until SIGINT or SIGTERM."""
    if with_parent:
        threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    settings = load_settings(data=data, host=host, port=port)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("collection_server").setLevel(logging.INFO)
    server = open_server(settings)
    listener = _listen(settings)
    try:
        _run(settings, server, listener, ready_json)
    finally:
        listener.close()


def _end_with_parent() -> None:
    """Whoever started this holds the other end of standard input and has gone when it closes."""
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Named TCP, or asyncio does not recognise it and leaves Nagle's algorithm on: 40 ms on every answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise Stop(f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}.") from error
    listener.listen(512)
    return listener


def _run(settings: Settings, server: Server, listener: socket.socket, ready_json: bool) -> None:
    import uvicorn

    from collection_server.app import create_app

    scheme = "https" if settings.tls_certificate else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"{scheme}://{host}:{listener.getsockname()[1]}"

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                print(f"listening on {url}", flush=True)
                if ready_json:
                    print(json.dumps({"ready": True, "url": url}), flush=True)

    config = uvicorn.Config(
        create_app(server),
        ws="websockets-sansio",
        ws_max_size=64 * 1024,
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        access_log=False,  # ours says no more than it may
        log_config=None,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=3,
        ssl_certfile=str(settings.tls_certificate) if settings.tls_certificate else None,
        ssl_keyfile=str(settings.tls_key) if settings.tls_key else None,
    )
    Announcing(config).run(sockets=[listener])


@app.command()
def openapi(
    output: Annotated[Path, typer.Option(help="Where to write it; - for standard output")] = OPENAPI,
) -> None:
    """Write the OpenAPI document of this version."""
    text = openapi_text()
    if str(output) == "-":
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8")


def openapi_text() -> str:
    """The document as it is checked in."""
    from collection_server.app import openapi_document

    return json.dumps(openapi_document(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Ends with status 1 and one sentence when something about the set-up is wrong."""
    try:
        result: Any = app(args=arguments, standalone_mode=True)
    except (BadSettings, Stop) as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
    raise SystemExit(result or 0)


if __name__ == "__main__":
    main()
