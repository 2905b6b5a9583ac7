import pytest

from bycase.core.errors import UserError
from bycase.core.expressions import Expression

PATH = "8863/0/8863_idx5_class0.png"


@pytest.mark.parametrize(
    ("pattern", "values"),
    [
        (r"(?P<patient>\d+)_idx(?P<number>\d)", {"patient": "8863", "number": "5"}),
        (r"/(\d)/", {"patient": "0"}),
        (r"\d{3}", {"patient": "886"}),
        (r"class(?P<kind>\d)", {"kind": "0"}),
        (r"(?P<patient>\d+)_|(?P<other>x)", {"patient": "8863", "other": ""}),
        (r"nothing", None),
    ],
)
def test_what_counts_of_a_match(pattern: str, values: dict[str, str] | None) -> None:
    assert Expression(pattern, "folders.patient").search(PATH, "patient") == values


def test_an_invalid_expression_is_named_with_its_key() -> None:
    with pytest.raises(UserError, match=r"^folders\.patient: expression '\(a' is not valid: missing \)"):
        Expression("(a", "folders.patient")


def test_a_slow_expression_is_stopped() -> None:
    with pytest.raises(UserError, match="takes too long"):
        Expression(r"(?:(?:a|aa)+)+$", "folders.patient").search("a" * 60 + "!", "patient")
