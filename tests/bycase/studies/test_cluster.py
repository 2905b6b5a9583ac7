"""A Ray cluster's address, and one that nobody answers at; no Ray."""

import pytest

from bycase.core.errors import UserError
from bycase.studies.cluster import check_address, connected


def test_addresses() -> None:
    assert check_address("10.0.0.5:6379") == ("10.0.0.5", 6379)
    assert check_address("auto") is None
    assert check_address("local") is None
    for address in ("ray://head:10001", "head", "head:0", "head:70000", "head:6379/x", ""):
        with pytest.raises(UserError, match="give host:port, 'auto' or 'local'"):
            check_address(address)


def test_where_no_cluster_answers_ray_is_not_started() -> None:
    message = r"--ray 127\.0\.0\.1:9: no cluster answers there \(Connection refused\)"
    with pytest.raises(UserError, match=message), connected("127.0.0.1:9"):
        pass
