"""`bycase serve [--model PATH] [--host 127.0.0.1] [--port 8080]`: a local page that classifies images."""

import argparse
import logging
from pathlib import Path

from bycase.apps.classifier.archive import CLASSIFIER
from bycase.apps.classifier.classifier import load_classifier
from bycase.apps.serve.api import make_app
from bycase.apps.serve.explaining import make_explain
from bycase.apps.serve.guard import LOOPBACK
from bycase.apps.serve.inference_service import Answerer
from bycase.apps.serve.limits import Limits, Rate
from bycase.apps.serve.page import add_page
from bycase.apps.serve.server import check_port, serve
from bycase.core.command import run_stage


def main() -> None:
    """Load the classifier and serve until interrupted."""
    parser = argparse.ArgumentParser(prog="bycase serve", description="A local page for images.")
    parser.add_argument("--model", type=Path, default=CLASSIFIER, help="of stage bundle (%(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (%(default)s: this computer only)")
    parser.add_argument("--port", type=int, default=8080, help="%(default)s")
    options = parser.parse_args()
    check_port(options.host, options.port)
    classifier = load_classifier(options.model)
    limits, local = Limits(), options.host in LOOPBACK
    if not local:
        logging.warning("%s: everyone who reaches this computer can use the page; nothing is encrypted", options.host)
    answerer, rate = Answerer(classifier, make_explain(classifier.network), limits), Rate(limits.per_minute)
    app = make_app(answerer, rate, LOOPBACK if local else None)
    add_page(app, answerer, rate, classifier.card.layout)
    serve(app, options.host, options.port)


if __name__ == "__main__":
    run_stage("serve", main)
