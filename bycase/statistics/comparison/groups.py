"""Groups of networks within which none is significantly better than another."""

from collections.abc import Collection, Sequence


def indistinguishable_groups(models: Sequence[str], different: Collection[frozenset[str]]) -> list[list[str]]:
    """The largest groups without a significant difference, each network in at least one.

    Not being told apart is not transitive: two networks may each be in a group with a third, but not with each other.

    Parameters
    ----------
    models : sequence of str
        All networks, best first.
    different : collection of frozenset of two str
        The pairs that differ significantly.

    Returns
    -------
    list of list of str
        In the order of `models`; no group is part of another.
    """
    groups: list[list[str]] = [[]]
    for model in models:
        extended = [
            [*(other for other in group if frozenset((model, other)) not in different), model] for group in groups
        ]
        groups = _largest([*groups, *extended])
    return sorted(groups, key=lambda group: [models.index(model) for model in group])


def _largest(groups: list[list[str]]) -> list[list[str]]:
    """Each group once, without those that are part of another."""
    distinct = {frozenset(group): group for group in groups}
    return [group for members, group in distinct.items() if not any(members < other for other in distinct)]
