"""Runs the application on a port of this machine."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable

from fastapi import FastAPI

from retrieval.errors import TastebudError

DEFAULT_PORT = 7860
_TRIES = 20
_BUSY_PAGE_SECONDS = 2


class PortError(TastebudError):
    """The port or the address cannot be used."""


def reserve(host: str, port: int | None) -> socket.socket:
    """A socket bound to `host` and `port`. `port` None takes 7860 or the next free one after it.

    Raises PortError when a given port is taken, or the address is not one of this machine.
    """
    ports = range(DEFAULT_PORT, DEFAULT_PORT + _TRIES) if port is None else (port,)
    error: OSError | None = None
    for candidate in ports:
        try:
            return _bind(host, candidate)
        except (OSError, OverflowError) as reason:
            error = reason if isinstance(reason, OSError) else OSError(str(reason))
    if port is None:
        raise PortError(f"No free port between {ports[0]} and {ports[-1]} on {host!r}: {error}.")
    raise PortError(f"Port {port} on {host!r} cannot be used ({error}). Choose another with --port.")


def run(app: FastAPI, bound: socket.socket, ready: Callable[[str], None]) -> None:
    """Serves until interrupted. Calls `ready` with the address once requests are answered."""
    import uvicorn

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            if self.started:
                ready(address(bound))

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            # An open page keeps a connection that is cut now, which uvicorn would report as an error.
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
            await super().shutdown(sockets=sockets)

    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=_BUSY_PAGE_SECONDS)
    Announcing(config).run(sockets=[bound])


def address(bound: socket.socket) -> str:
    """The URL of a bound socket, as a person would type it."""
    host, port = bound.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(where)
        # Without listening, a second program could bind the same port while the model is being loaded.
        bound.listen(128)
    except OSError:
        bound.close()
        raise
    return bound
