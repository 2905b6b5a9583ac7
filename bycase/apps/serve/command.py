"""`bycase serve [--model PATH] [--host 127.0.0.1] [--port 8080]`: classify images on a local page."""

import argparse
import logging
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from bycase.apps.classifier import CLASSIFIER
from bycase.core.errors import UserError
from bycase.core.packages import need

if TYPE_CHECKING:
    import keras

    from bycase.apps.serve.inference_service import Explain


def main(arguments: list[str] | None = None) -> None:
    """Load the classifier and serve until interrupted; requests are not logged."""
    parser = argparse.ArgumentParser(prog="bycase serve", description="Classify images on a local page.")
    parser.add_argument("--model", type=Path, default=CLASSIFIER, help="of stage bundle (%(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (%(default)s: this computer only)")
    parser.add_argument("--port", type=int, default=8080, help="%(default)s")
    options = parser.parse_args(arguments)
    for package in ("fastapi", "uvicorn", "nicegui"):
        need(package, "bycase serve", "use bycase predict")
    import uvicorn

    from bycase.apps.classifier.classifier import load_classifier
    from bycase.apps.serve.api import make_app
    from bycase.apps.serve.guard import LOOPBACK
    from bycase.apps.serve.inference_service import InferenceService
    from bycase.apps.serve.limits import Limits, Rate
    from bycase.apps.serve.page import add_page

    host, port = options.host, options.port
    check_port(host, port)
    classifier = load_classifier(options.model)
    limits, local = Limits(), host in LOOPBACK
    if not local:
        logging.warning("%s: everyone who reaches this computer can use the page; nothing is encrypted", host)
    service = InferenceService(classifier, make_explain(classifier.network), limits)
    rate = Rate(limits.per_minute)
    app = make_app(service, rate, LOOPBACK if local else None)
    add_page(app, service, rate, classifier.info.layout)
    logging.info("open http://%s:%s in a browser; Ctrl+C ends it", f"[{host}]" if ":" in host else host, port)
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, server_header=False)


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


def make_explain(network: "keras.Model | None") -> "Explain | None":
    """A function for heatmaps; None, and a line in the log, where the network has no feature map."""
    from bycase.explain.maps import make_explainer

    if network is None:
        return None
    try:
        return make_explainer(network)
    except UserError as error:
        logging.warning("no heatmaps: %s", error)
        return None
