import pytest
from host_ends import Served


@pytest.fixture
def served():
    server = Served()
    yield server
    server.stop()
