import doctest
import re

import bycase
from bycase.core.closure import ROOT

PAGE = ROOT / "docs" / "reference" / "python.md"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def test_the_examples_of_the_python_page_are_true() -> None:
    text = PAGE.read_text(encoding="utf-8")
    example = doctest.DocTestParser().get_doctest("\n".join(BLOCK.findall(text)), {}, PAGE.name, str(PAGE), 0)
    assert len(example.examples) > 30
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=said.append)
    assert "".join(said) == ""


def test_every_public_name_has_a_row_and_an_example() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in bycase.__all__:
        assert f"| [`{name}`](#" in text
        assert any(f"bycase.{name}(" in block for block in BLOCK.findall(text))
