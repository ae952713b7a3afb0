"""Sets of taken codes in mapped files: growing, forgetting, a machine that failed, a disk that is full."""

import resource
from pathlib import Path

import pytest

from ehc.errors import Unavailable
from ehc.model import Claim
from ehc.store.taken_codes import KEEP_AFTER, TakenCodes

NOW = 1_767_225_600
UNTIL = NOW + 360


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("used-*"))


def test_a_full_file_is_followed_by_another_and_nothing_is_won_twice(tmp_path: Path) -> None:
    codes = [b"%d" % i for i in range(500)]
    for expected in (Claim.WON, Claim.LOST):
        taken = TakenCodes(tmp_path, "used", NOW, slots=64)
        assert {taken.claim(code, NOW, UNTIL, 0, 1) for code in codes} == {expected}
    assert len(files(tmp_path)) == 3
    assert {taken.holder(code, NOW, UNTIL) for code in codes} == {0}
    assert taken.holder(b"another", NOW, UNTIL) is None
    taken.put(b"another", NOW, UNTIL, 9)
    assert taken.holder(b"another", NOW, UNTIL) == 9


def test_files_are_deleted_only_long_after_their_codes_have_ended(tmp_path: Path) -> None:
    passed = [0]
    taken = TakenCodes(tmp_path, "used", NOW, steady=lambda: passed[0])
    taken.claim(b"short", NOW, UNTIL, 0, 1)
    taken.claim(b"long", NOW, NOW + 30 * 86_400, 0, 1)
    for seconds, left in ((360 + KEEP_AFTER, 2), (360 + KEEP_AFTER + 1000, 1), (60 * 86_400, 0)):
        passed[0] = seconds
        taken.forget(NOW + seconds)
        assert len(files(tmp_path)) == left
        if left:
            assert taken.claim(b"long", NOW, NOW + 30 * 86_400, 0, 1) is Claim.LOST


def test_a_file_that_another_process_deleted_is_let_go(tmp_path: Path) -> None:
    passed = [0]
    first, second = (TakenCodes(tmp_path, "used", NOW, steady=lambda: passed[0]) for _ in range(2))
    for taken in (first, second):
        taken.claim(b"short", NOW, UNTIL, 0, 1)
    passed[0] = 1000 + KEEP_AFTER
    for taken, left in ((first, 1), (second, 0)):
        taken.forget(NOW + passed[0])
        assert files(tmp_path) == []
        assert Path("/proc/self/maps").read_text("utf-8").count(str(tmp_path)) == left


def test_a_clock_that_is_set_far_ahead_and_back_lets_no_code_be_used_again(tmp_path: Path) -> None:
    taken = TakenCodes(tmp_path, "used", NOW)
    assert taken.claim(b"code", NOW, UNTIL, 0, 1) is Claim.WON
    taken.forget(NOW + 30 * 86_400)
    assert taken.claim(b"code", NOW, UNTIL, 0, 1) is Claim.LOST


def test_a_new_folder_has_lost_nothing_and_one_of_another_boot_may_have(tmp_path: Path) -> None:
    assert TakenCodes(tmp_path, "used", NOW).opened_at == 0
    assert TakenCodes(tmp_path, "used", NOW + 10).opened_at == 0
    (boot,) = tmp_path.glob("boot-*")
    boot.rename(tmp_path / "boot-of-yesterday")
    assert TakenCodes(tmp_path, "used", NOW + 20).opened_at == NOW + 20
    assert TakenCodes(tmp_path, "used", NOW + 30).opened_at == NOW + 20
    assert len(list(tmp_path.glob("boot-*"))) == 1


def test_names_of_codes_differ_between_folders(tmp_path: Path) -> None:
    for name in "ab":
        TakenCodes(tmp_path / name, "used", NOW)
    assert (tmp_path / "a/secret").read_bytes() != (tmp_path / "b/secret").read_bytes()
    assert (tmp_path / "a/secret").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="folder of used codes"):
        TakenCodes(tmp_path / "file/folder", "used", NOW)


def test_a_full_disk_is_unavailable_and_not_the_end_of_the_process(tmp_path: Path) -> None:
    taken = TakenCodes(tmp_path, "used", NOW)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))  # as on a full disk
    try:
        with pytest.raises(Unavailable, match="cannot be written"):
            taken.claim(b"k", NOW, UNTIL, 0, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert taken.claim(b"k", NOW, UNTIL, 0, 1) is Claim.WON
