"""The section that says how a run was made."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bycase.core.wording import Numbers, count, seconds
from bycase.report.blocks import Block, Details, Section, Table
from bycase.report.provenance import describe_commit, describe_machine, hide_places, package_versions, read_hashes

COSTS = {
    "parameters": "parameters",
    "trainable_parameters": "trainable parameters",
    "flops": "operations of one image, forward",
    "model_bytes": "bytes of the saved network",
    "epochs": "epochs",
    "embed_seconds": "embedding",
    "training_seconds": "training",
    "inference_images_per_second": "images a second, tested",
    "energy_joules": "energy of training, joules",
}


def production_section(commands: Sequence[str], texts: Mapping[str, str], locks: list[Path], cost: Numbers) -> Section:
    """Commit, commands, machine, costs, data hashes, versions and all parameters.

    Parameters
    ----------
    commands : sequence of str
        What makes the run and this report.
    texts : mapping
        Files of parameters by path.
    locks : list of Path
        DVC's lock files.
    cost : mapping
        What training and testing one network cost.
    """
    facts = [
        ("commands", "; then ".join(commands)),
        ("commit", describe_commit()),
        ("machine that wrote this report", describe_machine()),
        *((name, _cost(key, cost[key])) for key, name in COSTS.items() if cost.get(key) is not None),
    ]
    blocks: list[Block] = [Table("The run.", ("what", "how"), facts, numbers=False)]
    hashes = read_hashes(locks)
    if hashes:
        rows = [(path, md5, count(size)) for path, md5, size in hashes]
        names = " and ".join(path.as_posix() for path in locks if path.exists())
        blocks.append(Table(f"Data and networks, as {names} has them.", ("path", "MD5", "bytes"), rows, numbers=False))
    versions = list(package_versions().items())
    blocks.append(Table("Versions.", ("package", "version"), versions, numbers=False))
    blocks += [
        Details(f"{path} ({len(text.splitlines())} lines; paths shortened to their last name)", hide_places(text))
        for path, text in texts.items()
    ]
    return Section("production", "How it was produced", blocks)


def _cost(key: str, value: float) -> str:
    if key.endswith("_seconds"):
        return seconds(value)
    return count(value) if value >= 1000 or float(value).is_integer() else f"{value:.3g}"
