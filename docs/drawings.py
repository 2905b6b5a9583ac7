"""Drawings of the manual as SVG text: the pipeline's stages, and the library's floors."""

import ast
from graphlib import TopologicalSorter
from html import escape
from itertools import pairwise

import yaml

from bycase.core.closure import ROOT

FLOORS = [
    *("core", "tables", "images", "datasets", "networks", "training", "statistics"),
    *("explain", "figures", "report", "studies", "apps", "api", "cli"),
]
WIDTH, ROW, BOX, HEIGHT = 720, 62, 108, 30  # pixels: the drawing, from row to row, a stage's box

Graph = dict[str, set[str]]


def stage_graph(pipeline: str = "dvc.yaml") -> Graph:
    """The stages that each stage of a dvc.yaml waits for, without those that it waits for through another."""
    stages = yaml.safe_load((ROOT / pipeline).read_text(encoding="utf-8"))["stages"]
    makers = {
        (each if isinstance(each, str) else next(iter(each))): name
        for name, content in stages.items()
        for kind in ("outs", "metrics", "plots")
        for each in content.get(kind, [])
    }
    graph = {name: {makers[dep] for dep in content["deps"] if dep in makers} for name, content in stages.items()}
    before: Graph = {}
    for name in TopologicalSorter(graph).static_order():
        before[name] = graph[name].union(*(before[each] for each in graph[name]))
    return {name: needed - set().union(*(before[each] for each in needed)) for name, needed in graph.items()}


def draw_pipeline() -> str:
    """The stages of dvc.yaml from top to bottom, each a link to its entry on the page."""
    graph = stage_graph()
    layer: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        layer[name] = 1 + max((layer[each] for each in graph[name]), default=-1)
    chains = [_chain(before, name, layer) for name, needed in graph.items() for before in sorted(needed)]
    rows = _order_rows(layer, chains)
    place = {
        name: (WIDTH * (column + 0.5) / len(row), 4 + number * ROW)
        for number, row in enumerate(rows)
        for column, name in enumerate(row)
    }
    lines = [_curve([place[each] for each in chain], HEIGHT) for chain in chains]
    boxes = [_box(name, *place[name]) for name in graph]
    return _figure("\n".join(lines + boxes), WIDTH, len(rows) * ROW - ROW + HEIGHT + 8, "The stages of the pipeline")


def draw_floors() -> str:
    """The library's floors, the highest at the top, with what each says of itself; words wrap on a phone."""
    boxes = [f"<li><b>{name}</b><span>{escape(floor_words(name))}</span></li>" for name in reversed(FLOORS)]
    return "\n".join(['<ol class="floors" aria-label="The floors of the library, the highest first">', *boxes, "</ol>"])


def floor_words(name: str) -> str:
    """The first sentence of a floor's docstring."""
    package, module = ROOT / "bycase" / name / "__init__.py", ROOT / "bycase" / f"{name}.py"
    text = (package if package.is_file() else module).read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").splitlines()[0].replace("`", "")


def _chain(before: str, after: str, layer: dict[str, int]) -> list[str]:
    """An edge as the places it passes: a place of its own in every row between its ends."""
    between = range(layer[before] + 1, layer[after])
    return [before, *(f"{before}>{after}>{number}" for number in between), after]


def _order_rows(layer: dict[str, int], chains: list[list[str]]) -> list[list[str]]:
    """The names of every row from left to right: each near the mean of its neighbours, so that few lines cross."""
    rows: list[list[str]] = [[] for _ in range(1 + max(layer.values()))]
    for name, number in layer.items():
        rows[number].append(name)
    for chain in chains:
        for number, name in enumerate(chain[1:-1], layer[chain[0]] + 1):
            rows[number].append(name)
    pairs = [pair for chain in chains for pair in pairwise(chain)]
    for sweep in range(12):
        position = {name: (column + 0.5) / len(row) for row in rows for column, name in enumerate(row)}
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            means = {}
            for name in row:
                near = [position[a] for a, b in pairs if b == name] + [position[b] for a, b in pairs if a == name]
                means[name] = sum(near) / len(near)
            row.sort(key=lambda name: means[name])
            position |= {name: (column + 0.5) / len(row) for column, name in enumerate(row)}
    return rows


def _curve(points: list[tuple[float, float]], height: int) -> str:
    """From the bottom of the first box through the rows between to the top of the last one."""
    path = f"M{points[0][0]:.0f} {points[0][1] + height:.0f}"
    last = points[0]
    for point in points[1:]:
        start, end = last[1] + height, point[1]
        middle = (start + end) / 2
        path += f" C{last[0]:.0f} {middle:.0f} {point[0]:.0f} {middle:.0f} {point[0]:.0f} {end:.0f}"
        path += f" V{end + height:.0f}" if point is not points[-1] else ""
        last = point
    return f'<path class="edge" d="{path}"/>'


def _box(name: str, centre: float, top: float) -> str:
    shape = f'<rect class="box" x="{centre - BOX / 2:.0f}" y="{top}" width="{BOX}" height="{HEIGHT}" rx="4"/>'
    words = f'<text class="name" x="{centre:.0f}" y="{top + 20}" text-anchor="middle">{name}</text>'
    return f'<a href="#{name}">{shape}{words}</a>'


def _figure(content: str, width: int, height: int, words: str) -> str:
    start = f'<svg class="drawing" width="{width}" viewBox="0 0 {width} {height}" role="img" aria-label="{words}">'
    return f"<figure>\n{start}\n{content}\n</svg>\n</figure>"
