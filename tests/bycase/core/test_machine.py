from bycase.core.machine import describe_machine


def test_processor_cores_and_memory_are_named() -> None:
    words = describe_machine()
    assert " cores, " in words
    assert " GiB memory, " in words
