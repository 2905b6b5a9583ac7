"""`python -m stages.serve [--model PATH] [--host 127.0.0.1] [--port 8080]`: a local page that classifies images."""

import argparse
import logging
from pathlib import Path

from stages.bundle.archive import CLASSIFIER
from stages.common.command import run_stage
from stages.predict.classifier import load_classifier
from stages.serve.answerer import Answerer
from stages.serve.api import make_app
from stages.serve.explaining import make_explain
from stages.serve.guard import LOOPBACK
from stages.serve.limits import Limits, Rate
from stages.serve.page import add_page
from stages.serve.server import check_port, serve


def main() -> None:
    """Load the classifier and serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m stages.serve", description="A local page for images.")
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
