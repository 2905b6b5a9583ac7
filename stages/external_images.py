"""`python -m stages.external_images`: the images of the external test set, if there is one, in the training's form."""

import logging
import shutil

from bycase.core.command import run_stage
from bycase.core.files import replace_folder, write_json
from bycase.core.params import load_params
from bycase.datasets.external import restructure_external
from bycase.datasets.sources.fetch import fetch
from bycase.images.ranges import in_words
from bycase.tables.external import ABOUT, FOLDER, IMAGES, TABLE
from bycase.tables.manifest import write_manifest


def main() -> None:
    """Fetch and convert ``evaluate.external``; without one, say so in the folder that later stages read."""
    params = load_params()
    chosen = params.evaluate
    name = chosen.external
    with replace_folder(FOLDER) as folder:
        about = folder / ABOUT.name
        if name is None:
            write_json(about, {"dataset": None})
            logging.info("no external test set (evaluate.external)")
            return
        entry = params.datasets[name]
        raw, images = folder / "raw" / name, folder / IMAGES.name
        raw.parent.mkdir()
        images.mkdir()
        fetch(entry, raw)
        manifest, left_out, pixel_values = restructure_external(
            name, entry, params.data, raw, images, chosen.external_classes, chosen.external_magnifications
        )
        # The files as published can be fetched again; what counts are the images.
        shutil.rmtree(raw.parent)
        write_manifest(folder / TABLE.name, manifest)
        write_json(
            about,
            {
                "dataset": name,
                "phantom": entry.source == "phantom",
                "patients_known": entry.names_patient,
                "magnifications": chosen.external_magnifications,
                "left_out": left_out,
                "pixel_values": pixel_values,
            },
        )
    for kind, values in pixel_values.items():
        if kind != "8-bit" or values["origin"] != "type":
            logging.info("%s: %s", name, in_words(kind, values))
    logging.info("%s: %d images, left out: %s", name, len(manifest), left_out)


if __name__ == "__main__":
    run_stage("external_images", main)
