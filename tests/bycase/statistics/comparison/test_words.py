from dataclasses import replace

import pytest

from bycase.statistics.comparison.words import Finding, notes, sentence

BETTER = Finding(
    models=("lite", "alexnet"),
    metric="auc",
    level="image",
    values=(0.8921, 0.8031),
    low=0.0312,
    high=0.1468,
    p=0.0041,
    p_equivalence=0.99,
    margin=0.03,
    verdict="better",
    within_margin=False,
    needed={"difference": 210, "equivalence": 1230},
    n_patients=50,
    spread=None,
    repeats=1,
)
APART = replace(BETTER, values=(0.8, 0.812), low=-0.045, high=0.0204, p=0.61, verdict="not resolvable")


def turn(finding: Finding) -> Finding:
    words = {"better": "worse", "worse": "better"}
    return replace(
        finding,
        models=finding.models[::-1],
        values=finding.values[::-1],
        low=-finding.high,
        high=-finding.low,
        verdict=words.get(finding.verdict, finding.verdict),
    )


def test_better() -> None:
    assert sentence(BETTER) == (
        "lite is better than alexnet: image AUC .892 against .803, difference .089 (95 % CI .031 to .147), "
        "Holm-adjusted p = .004."
    )


def test_better_by_less_than_the_margin() -> None:
    assert sentence(replace(BETTER, within_margin=True, margin=0.2)).startswith(
        "lite is better than alexnet, but by less than the margin of .2: image AUC"
    )


def test_equivalent() -> None:
    found = replace(APART, verdict="equivalent", p_equivalence=0.0002)
    assert sentence(found) == (
        "alexnet and lite are equivalent within .03: image AUC .812 against .800, difference .012 (95 % CI -.020 to "
        ".045), two one-sided tests with Holm-adjusted p < .001."
    )


def test_not_resolvable_says_how_many_patients_would_do() -> None:
    assert sentence(APART) == (
        "alexnet and lite cannot be told apart with 50 patients: image AUC .812 against .800, difference .012 (95 % CI "
        "-.020 to .045), Holm-adjusted p = .610. Detecting a true difference of .03 would take about 210 "
        "patients, showing equivalence about 1,230."
    )
    assert sentence(replace(APART, needed={"difference": 40, "equivalence": 60})).endswith(
        "A true difference of .03 would be detected with a power of 80% or more; showing equivalence would take about "
        "60 patients."
    )
    assert sentence(replace(APART, needed={"difference": 40, "equivalence": 45})).endswith(
        "but the observed difference is too close to it to show equivalence."
    )


def test_the_spread_over_repeats_is_said() -> None:
    assert sentence(replace(BETTER, spread=0.0123, repeats=3)).endswith(
        "Over 3 repeats of folds and training the difference has a standard deviation of .012."
    )


@pytest.mark.parametrize(
    "finding",
    [
        BETTER,
        APART,
        replace(APART, verdict="equivalent"),
        replace(APART, values=(0.8, 0.8), low=-0.03, high=0.03),
        replace(BETTER, metric="brier", values=(0.1, 0.2), low=-0.15, high=-0.05),
    ],
)
def test_the_order_does_not_matter(finding: Finding) -> None:
    assert sentence(turn(finding)) == sentence(finding)


def test_of_errors_the_lower_is_the_better() -> None:
    found = replace(BETTER, metric="brier", level="patient", values=(0.1, 0.2), low=-0.15, high=-0.05)
    assert sentence(found).startswith(
        "lite is better than alexnet: patient Brier score .100 against .200, difference -.100"
    )


def test_an_interval_over_several_pairs_says_so() -> None:
    assert "(simultaneous 95 % CI -.020 to .045)" in sentence(replace(APART, confidence="simultaneous 95 % CI"))


def test_numbers() -> None:
    assert "difference .000 (95 % CI .000 to" in sentence(replace(BETTER, values=(0.90001, 0.9), low=-0.0001, high=0.5))


def test_notes_say_what_is_left_out() -> None:
    assert "trained once per fold" in " ".join(notes("auc", 1, 1, 0.05, 0.03))
    several = " ".join(notes("accuracy", 3, 6, 0.05, 0.03))
    assert "how the repeats of all networks differ" in several
    assert "for all pairs together" in several
    assert "DeLong" not in several
    assert "its 6 pairs" in several
