from pathlib import Path

import pytest

from bycase.core.errors import UserError
from bycase.studies.benchmark.workspace import Workspace

COUNT = "p = Path('count.txt'); p.write_text((p.read_text() if p.exists() else '') + 'x')"


def open_workspace(fingerprint: str = "a", links: dict[str, Path] | None = None) -> Workspace:
    workspace = Workspace(Path("work/cell"), "network, fold 0")
    workspace.open(fingerprint, links or {})
    return workspace


def test_a_stage_runs_in_the_folder_and_only_once(fake_stages) -> None:
    fake_stages(split=COUNT)
    for _ in range(3):
        open_workspace().run("stages.split")
    assert Path("work/cell/count.txt").read_text() == "x"


def test_a_stage_runs_once_a_step(fake_stages) -> None:
    fake_stages(train=COUNT)
    workspace = open_workspace()
    for step in ("train 0", "train 1", "train 1"):
        workspace.run("stages.train", step)
    assert Path("work/cell/count.txt").read_text() == "xx"


def test_what_has_another_fingerprint_goes(fake_stages) -> None:
    fake_stages(split=COUNT)
    open_workspace("a").run("stages.split")
    workspace = open_workspace("b")
    assert not Path("work/cell/count.txt").exists()
    workspace.run("stages.split")
    assert Path("work/cell/count.txt").read_text() == "x"


def test_a_failed_stage_is_named_and_runs_again_while_others_stay_done(fake_stages) -> None:
    fake_stages(split=COUNT, train="raise SystemExit(1)")
    workspace = open_workspace()
    workspace.run("stages.split")
    with pytest.raises(UserError, match=r"network, fold 0: train failed, for the reason above"):
        workspace.run("stages.train")
    fake_stages(train="Path('trained').touch()")
    workspace = open_workspace()
    workspace.run("stages.split")
    workspace.run("stages.train")
    assert Path("work/cell/trained").exists()
    assert Path("work/cell/count.txt").read_text() == "x"


def test_links_lead_to_the_projects_data_and_removing_the_folder_leaves_it(fake_stages) -> None:
    Path("data/images").mkdir(parents=True)
    Path("data/images/a.png").write_text("pixels")
    workspace = open_workspace(links={"data/images": Path("data/images")})
    assert Path("work/cell/data/images/a.png").read_text() == "pixels"
    workspace.remove()
    assert Path("data/images/a.png").read_text() == "pixels"
    assert not Path("work/cell").exists()


def test_shared_data_that_is_not_there_is_named(fake_stages) -> None:
    with pytest.raises(UserError, match=r"data/images not found: run 'bycase benchmark run'"):
        open_workspace(links={"data/images": Path("data/images")})
