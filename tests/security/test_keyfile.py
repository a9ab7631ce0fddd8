import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.security import keyfile

VARIABLE = "SLUICE_ENCRYPTION_KEYS"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "encryption.key"


def test_a_key_is_made_once_and_kept(path):
    made = keyfile.key(path, VARIABLE)

    assert len(made) == 32
    assert keyfile.key(path, VARIABLE) == made


def test_nobody_else_can_read_it(path):
    keyfile.key(path, VARIABLE)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["encryption.key"]


def test_of_processes_that_start_together_all_get_the_same(path):
    with ThreadPoolExecutor(16) as threads:
        assert (
            len(set(threads.map(lambda _: keyfile.key(path, VARIABLE), range(64)))) == 1
        )


def test_two_instances_have_different_keys(tmp_path):
    assert keyfile.key(tmp_path / "one", VARIABLE) != keyfile.key(
        tmp_path / "two", VARIABLE
    )


@pytest.mark.parametrize("content", [b"", b"c2hvcnQ=", b"no base64!", b"\xff" * 44])
def test_a_damaged_file_is_told_and_left_as_it_is(path, content):
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(ValueError, match="restore it, or set SLUICE_ENCRYPTION_KEYS"):
        keyfile.key(path, VARIABLE)
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "data").write_text("in the way")

    with pytest.raises(ValueError, match="SLUICE_ENCRYPTION_KEYS"):
        keyfile.key(tmp_path / "data" / "encryption.key", VARIABLE)
