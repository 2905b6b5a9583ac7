"""`params.yaml`, read and checked as a whole: every key, its type and its range."""

import logging
import re
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from bycase.core.errors import UserError
from bycase.core.files import replace_file
from bycase.core.params_data import (
    AuditParams,
    DatasetParams,
    LeakageParams,
    PowerParams,
    PreprocessParams,
    Section,
    SplitParams,
)
from bycase.core.params_migration import VERSION, migrate
from bycase.core.params_training import (
    AugmentParams,
    EmbedParams,
    EvaluateParams,
    ExplainParams,
    ModelParams,
    RobustnessParams,
    TrainParams,
    UncertaintyParams,
    is_imported,
)
from bycase.core.yaml_edit import edit_yaml

PARAMS_PATH = Path("params.yaml")
# libyaml's, where PyYAML was built with it, as its wheels are: the same content in a seventh of the time.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BRANCH = re.compile(
    r"DropoutLayer|DenseLayer|HeadName|HeadLayers|(constrained-|function-before\[|literal\[|dict\[|list\[).*|str|int|\[key\]"
)

Checked = TypeVar("Checked", bound=BaseModel)


class Params(Section):
    """The whole of `params.yaml`."""

    version: Literal[3]
    model: str
    dataset: str
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    engine: Literal["auto", "keras", "openvino"]
    datasets: dict[str, DatasetParams]
    audit: AuditParams
    split: SplitParams
    preprocess: PreprocessParams
    augment: AugmentParams
    embed: EmbedParams
    train: TrainParams
    evaluate: EvaluateParams
    uncertainty: UncertaintyParams
    robustness: RobustnessParams
    explain: ExplainParams
    leakage: LeakageParams
    power: PowerParams
    zoo: dict[str, ModelParams]

    @model_validator(mode="after")
    def _names_exist(self) -> "Params":
        for key, name, table in (("model", self.model, self.zoo), ("dataset", self.dataset, self.datasets)):
            if name not in table:
                raise ValueError(f"{key}: unknown {key} '{name}'; choose one of: {', '.join(sorted(table))}")
        for name in self.audit.waive:
            if name not in self.datasets:
                raise ValueError(f"audit.waive: no dataset '{name}'; there are {', '.join(sorted(self.datasets))}")
        return self

    @model_validator(mode="after")
    def _head_is_trained_by_draws(self) -> "Params":
        if self.train.sampling != "uniform" and self.network.fitted_head:
            raise ValueError(
                f"train.sampling: zoo.{self.model}.head is {self.network.fitted_head}, which takes every image once; "
                "set sampling to uniform, or head to a list of layers"
            )
        return self

    @model_validator(mode="after")
    def _patients_are_named(self) -> "Params":
        if self.train.sampling == "patient" and not self.data.names_patient:
            raise ValueError(
                f"train.sampling: nothing says which images of {self.dataset} are of one patient; choose class"
            )
        if self.evaluate.aggregation != "mean" and not self.data.names_patient:
            raise ValueError(
                f"evaluate.aggregation: nothing says which images of {self.dataset} are of one patient; set it to mean"
            )
        return self

    @model_validator(mode="after")
    def _external_fits(self) -> "Params":
        name, renamed = self.evaluate.external, self.evaluate.external_classes
        if name is None:
            return self
        if name not in self.datasets:
            known = ", ".join(sorted(self.datasets))
            raise ValueError(f"evaluate.external: unknown dataset '{name}'; choose one of: {known}, or null")
        own, classes = self.data.classes, self.datasets[name].classes
        for label in renamed:
            if label not in classes:
                raise ValueError(f"evaluate.external_classes: '{label}' is no class of {name}: {', '.join(classes)}")
        meant = [renamed.get(label, label) for label in classes]
        for label, target in zip(classes, meant, strict=True):
            if target is not None and target not in own:
                raise ValueError(
                    f"evaluate.external_classes: '{target}' of {name} is no class of {self.dataset}: {', '.join(own)}; "
                    f"add '{label}: <class>' or '{label}: null', which leaves its images out"
                )
        for label in own:
            if label not in meant:
                raise ValueError(f"evaluate.external_classes: no class of {name} stands for '{label}'")
        return self

    @property
    def data(self) -> DatasetParams:
        """The chosen data set's entry."""
        return self.datasets[self.dataset]

    @property
    def network(self) -> ModelParams:
        """The chosen network's entry."""
        return self.zoo[self.model]

    @property
    def is_imported(self) -> bool:
        """Whether the chosen network is features that another program computed."""
        return is_imported(self.model)

    @property
    def weights(self) -> str:
        """The chosen network's weights: 'imagenet', 'random' or a path."""
        return self.data.weights if self.network.weights == "by_dataset" else self.network.weights


def load_params(path: Path = PARAMS_PATH, rewrite: bool = False) -> Params:
    """Read and check `params.yaml`; an older one is completed, which is logged in one line.

    Parameters
    ----------
    path : Path
        The file.
    rewrite : bool
        Bring an older file up to date as well, comments kept: DVC reads it by itself.

    Raises
    ------
    UserError
        As `load_section`, or if the file is of an unknown version.
    """
    content = read_yaml(path, Params)
    params, changes = check_params(content, str(path))
    if changes:
        done = "is written as" if rewrite else "is read as"
        what = f"is of an older version and {done} version {VERSION}"
        if content.get("version") == VERSION:
            what = f"lacks keys and {done} complete"
        logging.info("%s %s: %s", path, what, "; ".join(changes))
    if changes and rewrite:
        edited = upgrade_text(path.read_bytes().decode("utf-8"), str(path))  # line ends stay as they are
        with replace_file(path) as partial:
            partial.write_bytes(edited.encode("utf-8"))
    return params


def upgrade_text(text: str, source: str) -> str:
    """The text of a `params.yaml` in its current version, comments kept; `source` is its name, for messages."""
    return edit_yaml(text, migrate(parse_yaml(text, source), source)[0], source)


def check_params(content: dict[str, Any], source: str) -> tuple[Params, list[str]]:
    """Check the content of a `params.yaml`; older ones are completed first.

    Parameters
    ----------
    content : dict
        What the file holds.
    source : str
        Where it comes from, for messages.

    Returns
    -------
    params : Params
        The parameters.
    changes : list of str
        What was completed or renamed, see `bycase.core.params_migration.migrate`.

    Raises
    ------
    UserError
        Naming the key and the valid choices.
    """
    migrated, changes = migrate(content, source)
    return validate(Params, migrated, source), changes


def load_section(section: type[Checked], path: Path) -> Checked:
    """Read and check a whole parameter file.

    Parameters
    ----------
    section : type
        What the file holds.
    path : Path
        A YAML file.

    Raises
    ------
    UserError
        If the file is missing or not YAML, or a key or value is not valid; names the key and the
        valid choices.
    """
    return validate(section, read_yaml(path, section), str(path))


def read_yaml(path: Path, section: type[BaseModel]) -> dict[str, Any]:
    """Read a YAML file that shall hold the keys of a section; see `load_section`."""
    try:
        return parse_yaml(path.read_text(encoding="utf-8"), str(path), section)
    except FileNotFoundError:
        raise UserError(f"{path} not found: run from the project's top folder") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not valid YAML: {error}") from None


def parse_yaml(text: str, source: str, section: type[BaseModel] = Params) -> dict[str, Any]:
    """The content of a YAML text that comes from `source`; see `load_section`."""
    try:
        content = yaml.load(text, Loader=LOADER)
    except yaml.YAMLError as error:
        raise UserError(f"{source} is not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"{source} holds no keys; valid keys there: {', '.join(sorted(section.model_fields))}")
    return content


def validate(section: type[Checked], content: dict[str, Any], source: str) -> Checked:
    """Check the content of a parameter file named `source`; see `load_section`."""
    try:
        return section.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{source}: {_describe(section, error)}") from None


def _describe(section: type[BaseModel], error: ValidationError) -> str:
    """Say one thing that is wrong, by its dotted key, with the choices there are."""
    # A misspelt key is missing as well, and of a union's branches those that were not meant miss keys too.
    ranks = {"extra_forbidden": 1, "missing": 2, "string_type": 3, "int_type": 3}
    first = min(error.errors(), key=lambda each: ranks.get(each["type"], 0))
    location = first["loc"]
    # A union's branches add what they are to the location, which is no key of the file.
    keys = [str(part) for part in location if not _BRANCH.fullmatch(str(part))]
    key = ".".join(keys)
    if first["type"] == "extra_forbidden":
        valid = _fields_at(section, keys[:-1])
        choices = ", ".join(sorted(valid))
        if keys[-1] in valid:
            return f"key '{key}' stands beside another where only one of them may: {choices}"
        return f"unknown key '{key}'; valid keys there: {choices}"
    if first["type"] == "missing":
        return f"key '{key}' is missing"
    message = first["msg"].removeprefix("Value error, ")
    return f"{key}: {message} (it is {first['input']!r})" if first["type"] != "value_error" else _join(key, message)


def _join(key: str, message: str) -> str:
    return f"{key}.{message}" if key else message


def _fields_at(annotation: Any, keys: list[str]) -> set[str]:
    """The field names of the section that `keys` lead to from `annotation`."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _fields_at(get_args(annotation)[0], keys)
    if origin in (Union, UnionType):
        return set().union(*(_fields_at(branch, keys) for branch in get_args(annotation)))
    if origin in (dict, list):
        return _fields_at(get_args(annotation)[-1], keys[1:])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not keys:
            return set(annotation.model_fields)
        field = annotation.model_fields.get(keys[0])
        return _fields_at(field.annotation, keys[1:]) if field else set()
    return set()
