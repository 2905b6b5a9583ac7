"""Listening at an address, without a word about who asked for what."""

import logging
import socket

import uvicorn
from fastapi import FastAPI

from bycase.core.errors import UserError


def check_port(host: str, port: int) -> None:
    """Make sure of the address before anything slow is loaded.

    Raises
    ------
    UserError
        If there is no such address here, or another program listens at it.
    """
    if not 0 < port < 65536:
        raise UserError(f"--port {port}: choose one from 1 to 65535")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise UserError(
            f"{host}, port {port}: {error.strerror or error}; choose another with --host or --port"
        ) from None


def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until interrupted; requests are not logged."""
    shown = f"[{host}]" if ":" in host else host
    logging.info("open http://%s:%s in a browser; Ctrl+C ends it", shown, port)
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, server_header=False)
