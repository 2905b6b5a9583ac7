from bycase.core.nested import flatten, merge, nest, pick


def test_dotted_keys_and_back() -> None:
    content = {"a": {"b": 1, "c": {"d": [1, 2], "e": {}}}, "f": None}
    flat = {"a.b": 1, "a.c.d": [1, 2], "a.c.e": {}, "f": None}
    assert flatten(content) == flat
    assert nest(flat) == content
    assert list(nest({"b.x": 1, "a": 2, "b.y": 3})) == ["b", "a"]


def test_mappings_are_merged_and_everything_else_is_replaced() -> None:
    content = {"a": {"b": 1, "c": [1, 2]}, "d": 2}
    assert merge(content, {"a": {"c": [3]}, "e": 4}) == {"a": {"b": 1, "c": [3]}, "d": 2, "e": 4}
    assert content == {"a": {"b": 1, "c": [1, 2]}, "d": 2}


def test_values_are_picked_by_dotted_keys() -> None:
    assert pick({"a": {"b": {"c": 1}}, "d": 2}, ["a.b", "d"]) == {"a.b": {"c": 1}, "d": 2}
