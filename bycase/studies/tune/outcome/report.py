"""The comparison of ways to search as a Markdown table and in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from bycase.core.wording import decimals, p_equals
from bycase.figures.style import data_words
from bycase.studies.tune.outcome.compared import Compared
from bycase.studies.tune.outcome.searches import DEFAULT, count_words
from bycase.studies.tune.outcome.summary import NAMES, signed

ALPHA = 0.05
NONE = "—"
REFERENCE_WORDS = {DEFAULT: "the default settings", "random": "random search"}


def methods_sentences(compared: Compared) -> list[str]:
    """Of each way whether it helps against the default settings, and whether it is better than random search."""
    return [
        _sentence(compared, way, reference, found)
        for reference, of_ways in compared.summary["against"].items()
        for way, found in of_ways.items()
    ]


def methods_markdown(compared: Compared, sentences: Sequence[str]) -> str:
    """A table with a row a way, then the sentences, then what the numbers leave out."""
    about, summary = compared.about, compared.summary
    metric = NAMES[about["monitor"]]
    references = list(summary["against"])
    header = [
        "method",
        f"outer {metric}",
        "SD over seeds",
        f"inner {metric}",
        "optimism",
        *(f"gain over {REFERENCE_WORDS[reference]}" for reference in references),
        "epochs a search",
        "minutes a search",
    ]
    rows = [_row(compared, way, references) for way in compared.ways]
    tests = sum(len(of_ways) for of_ways in summary["against"].values())
    data = data_words(about["dataset"], about["phantom"])
    caption = (
        f"{about['model']} on {data}; {summary['n_images']} images of {summary['n_patients']} patients, each predicted "
        f"by networks whose search has not seen the patient; {count_words(summary['seeds'], 'seed')}. In brackets 95 % "
        "intervals that resample patients, all seeds together."
    )
    notes = [
        f"P-values are adjusted by Holm's procedure over {count_words(tests, 'test')}, at alpha {ALPHA:g}.",
        "Folds are the same for all seeds: the spread over seeds is that of the search and of training.",
        "Optimism takes the inner score as it is; its interval is that of the outer score.",
    ]
    lines = [_line(header), "|" + "---|" * len(header), *map(_line, rows)]
    parts = [lines, [caption], [f"- {line}" for line in sentences], [f"- {note}" for note in notes]]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _sentence(compared: Compared, way: str, reference: str, found: Mapping[str, Any]) -> str:
    methods, metric = compared.summary["methods"], NAMES[compared.about["monitor"]]
    than = REFERENCE_WORDS[reference]
    one, other = (methods[name]["outer"]["score"] for name in (way, reference))
    shown = found["p_holm"] < ALPHA
    verdict = (
        f"is not shown to help against {than}" if reference == DEFAULT else f"is not shown to be better than {than}"
    )
    doubt = ": no gain shown"
    if shown:
        verdict = f"is {'better' if found['estimate'] > 0 else 'worse'} than {than}"
        doubt = ""
    elif found["ci"]["low"] <= 0 <= found["ci"]["high"]:
        doubt = f", the interval includes 0{doubt}"
    else:
        doubt = f", the interval leaves out 0, but not after adjusting for all tests{doubt}"
    spread = (
        f"; over seeds the gain has a standard deviation of {decimals(found['seed_sd'])}" if "seed_sd" in found else ""
    )
    return (
        f"{way} {verdict}: outer {metric} {decimals(one)} against {decimals(other)}, gain {signed(found)}, "
        f"Holm-adjusted {p_equals(found['p_holm'])}{doubt}{spread}"
    )


def _row(compared: Compared, way: str, references: Sequence[str]) -> list[str]:
    of_way, against = compared.summary["methods"][way], compared.summary["against"]
    outer = of_way["outer"]
    gains = [against[reference].get(way) for reference in references]
    return [
        way,
        f"{outer['score']:.3f} ({outer['ci']['low']:.3f} to {outer['ci']['high']:.3f})",
        f"{outer['seed_sd']:.3f}" if "seed_sd" in outer else NONE,
        f"{of_way['inner']:.3f}",
        f"{of_way['optimism']['estimate']:.3f}",
        *(f"{signed(gain)}, p {_short(gain['p_holm'])}" if gain else NONE for gain in gains),
        f"{of_way['epochs']:.0f}",
        f"{of_way['seconds'] / 60:.1f}",
    ]


def _short(p: float) -> str:
    return "< .001" if p < 0.001 else f"= {decimals(p)}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
