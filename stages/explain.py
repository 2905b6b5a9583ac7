"""`python -m stages.explain`: where the network sees its class, and whether its maps can be trusted."""

import logging

from bycase.core.command import run_stage
from bycase.core.files import replace_folder, write_csv, write_json
from bycase.core.memory import enough_memory
from bycase.core.params import load_params
from bycase.core.seeding import make_deterministic
from bycase.core.versions import warn_of_other_versions
from bycase.explain.artifacts import (
    DELETION,
    FILE,
    FOLDER,
    RESULTS,
    SANITY,
    ExplainArtifacts,
    make_rows,
    tabulate_curves,
    tabulate_similarities,
    write_artifacts,
)
from bycase.explain.deletion import SCORES
from bycase.explain.examples import check_untouched, choose_scored, choose_shown, predict_classes
from bycase.explain.maps import MAP_WORDS, make_every_map
from bycase.explain.sanity import judge
from bycase.explain.scores import score_maps, summarise
from bycase.images.pixels import read_pixels
from bycase.networks.imported import refuse_without_pixels
from bycase.networks.saved import load_network
from bycase.statistics.units import number_patients, renumber
from bycase.tables.manifest import patients_note, read_manifest
from bycase.tables.models import NETWORK, read_model_info
from bycase.tables.predictions import TEST, read_predictions
from bycase.tables.results import METRICS, read_results, write_headlines


def main() -> None:
    """Write ``data/explain``, ``metrics/explain.json`` and its headlines."""
    params, model_info = load_params(), read_model_info()
    refuse_without_pixels(model_info, "a map of what the network sees")
    warn_of_other_versions(model_info.get("versions", {}), str(NETWORK))
    settings, seed, batch_size = params.explain, params.seed, params.evaluate.batch_size
    test = read_predictions(TEST, model_info["classes"])
    threshold = read_results(METRICS, "evaluate")["image"].get("threshold")
    test = predict_classes(test, number_patients(test, read_manifest(), TEST), model_info["classes"], threshold)
    part = test.iloc[choose_scored(test["patient"].to_numpy(), settings.images, seed)]
    images, patient = read_pixels(part["image"].tolist()), renumber(part["patient"].to_numpy())

    make_deterministic(seed)
    network = load_network(NETWORK)
    with enough_memory(params, "evaluate.batch_size", batch_size):
        scores = score_maps(network, part, images, patient, settings, batch_size, seed)
    check_untouched(scores.curves, part)
    content = summarise(scores, patient)
    shown = choose_shown(test, model_info["classes"], model_info["positive"], settings.examples, seed)
    rows = make_rows(test, shown, make_every_map(network, batch_size), settings.method)
    cascade = scores.cascades[settings.method]
    curves, similarities = scores.curves, scores.similarities
    artifacts = ExplainArtifacts(
        settings.method, scores.orders, curves, similarities, patient, images[: cascade.shape[1]], cascade, rows
    )

    with replace_folder(FOLDER) as partial:
        write_csv(partial / DELETION, tabulate_curves(part, scores.orders, curves))
        write_csv(partial / SANITY, tabulate_similarities(part, similarities))
        write_artifacts(partial / FILE, artifacts)
    write_json(RESULTS, content | patients_note(params.data.names_patient))
    headlines = [f"sanity.{method}.passed" for method in content["sanity"]]
    headlines += [f"scores.{order}.{score}" for order in content["scores"] for score in SCORES]
    write_headlines("explain", content, headlines)
    for method, result in content["sanity"].items():
        level = logging.INFO if result["passed"] else logging.WARNING
        logging.log(level, "%s: sanity check %s", MAP_WORDS[method], judge(result))


if __name__ == "__main__":
    run_stage("explain", main)
