"""libFuzzer on what takes other people's bytes: native/tests/fuzz_*, with AddressSanitizer and UBSan; the grey core's
is in test_grey_core.py.

From a fixed seed, 60 s each in CI for the parser, base45 and the batch entry, 15 s for the others and everywhere else;
FUZZ_SECONDS=3600 makes a campaign of it.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kernels import INCLUDES, KERNELS, MACHINE, NATIVE, READER, needs, not_on_path, run

sys.path.insert(0, str(Path(__file__).parents[1] / "reader"))
from signed_lists import code

LONG = {"fuzz_payload", "fuzz_base45", "fuzz_batch"} if os.environ.get("CI") == "true" else set()
OF_THE_MACHINE = "fuzz_sdf"  # links libehcsdf's sources, which need OpenSSL's libcrypto
OF_THE_READER = "fuzz_reader"  # links libehcreader's, which is C++ too
TARGETS = [*sorted(path.stem for path in (NATIVE / "tests").glob("fuzz_*.c")), OF_THE_READER]
FLAGS = ["-g", "-O1", "-std=c11", "-Wall", "-Wextra", "-fno-sanitize-recover=all"]
KERNEL = [*FLAGS, "-fsanitize=fuzzer-no-link,address,undefined"]
LANES = [*FLAGS, "-O0", "-fsanitize=fuzzer-no-link,address"]  # all lanes: a minute for the compiler otherwise
CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
TOKEN = "92FD69141DFE1553A42251E2B0196148"
CODE = b"EHC2:5A4:JE5709J1 DR000000W30L*2DIFETRC38S-P28EXMC+I6F$UI4NCIHW0GUM806LRXVKME"
ID = b"0111010020171225006X"
NAME = "电子健康卡".encode()
NOW = 1_767_225_600
LENGTHS = bytes((2, 18, len(NAME)))
FACTOR = b"92CDCE45A16799FD6D3231BA5E986602"
FRAMES = (
    b"3C200035" + ID + NAME + b";00000000",
    b"S30000AK010401" + FACTOR + b"00020014" + ID,
    b"S40000AK010401" + FACTOR + b"00050010" + bytes(range(16)),
    b"S30000AK01040000020007" + bytes.fromhex("20180117115003"),
    b"S40000AK01040000050010" + bytes.fromhex("92FD69141DFE1553A42251E2B0196148"),
    b"NC",
    b"CR0001",
)
ANSWERS = (b"3D0032" + bytes(32), b"3D11", b"S4000010" + bytes(16), b"S4000020" + bytes(32), b"S420")
SEEDS = {
    "fuzz_payload": [
        text.encode()
        for text in (
            CARD,
            f"{CARD}:1",
            f"{CARD}:9",
            f"{CARD[:32]}:0:{TOKEN}",
            f"{CARD}:0:{TOKEN}:ORG.1",
            f"85:{CARD[:48]}:1::ORG_2\r\n",
            f"{CARD[:6]}c{CARD[7:40]}{chr(0) * 24}:0:{TOKEN}",
            "https://example.invalid",
            "11010020171225006x",
            "130000000000000000",
            "2800000000000000",
        )
    ],
    "fuzz_batch": [
        bytes((tier, n)) + bytes((len(ID + NAME), len(ID))) * n + (ID + NAME) * n for tier in range(5) for n in (1, 7)
    ]
    + [bytes((0, 2, 99, 20, 66, 20)) + f"{CARD}:0:{TOKEN}{CARD}:1".encode()],
    "fuzz_base45": [
        bytes((tier,)) + text for tier in (0, 0x80) for text in (b"QED8WEX0", CODE[5:], CODE, CODE + b"\r\n")
    ],
    "fuzz_host": [
        bytes((tier, cut)) + b"".join(len(body).to_bytes(2, "big") + body for body in bodies)
        for tier in range(3)
        for cut, bodies in ((40, FRAMES), (0, FRAMES[:1]), (9, FRAMES[3:]), (70, ANSWERS))
    ],
    "fuzz_sdf": [bytes((0, place, 2, 16, 1, 2, act, place, 0, 40)) + ID * 4 for place in range(3) for act in range(10)],
    "fuzz_columns": [bytes((1,)) + LENGTHS + ID + NAME, bytes((2,)) + LENGTHS * 2 + b"0101" + ID[2:] * 2 + NAME * 2],
    "fuzz_reader": [
        *(bytes((0,)) + text for text in (f"{CARD}:0:{TOKEN}:ORG.1".encode(), CODE, code(NOW).encode())),
        bytes((1, 0)) + (NOW >> 8).to_bytes(4, "big") + bytes((8,)) + code(NOW).encode(),
        bytes((2, 2)) + bytes(range(64)) + bytes((1,)) + bytes(64),
        *(bytes((3, kind, 1, 8, 0, 0, 0, 1, 6, 0, 0, 0, 0)) + bytes(range(192)) for kind in range(1, 7)),
    ],
}


def seconds(target):
    return int(os.environ.get("FUZZ_SECONDS", "60" if target in LONG else "15"))


def compile_kernel(source, folder, *flags):
    lanes = '#include "lanes_' in source.read_text("utf-8")
    target = folder / f"{source.stem}.o"
    language = ["-std=c++17"] if source.suffix == ".cpp" else []
    run("clang-14", *(LANES if lanes else KERNEL), *language, *flags, *INCLUDES, "-c", source, "-o", target)
    return target


def compiled_for(target, folder):
    """What a target links beside the kernels."""
    sm2 = [source for source in MACHINE if source.parent.name == "sm2"]
    sources = {OF_THE_MACHINE: MACHINE, OF_THE_READER: [*sm2, *READER]}.get(target, [])
    (folder / f"of_{target}").mkdir()
    libraries = ["-ldl", "-pthread"] if sources else []
    return [compile_kernel(source, folder / f"of_{target}", "-D_GNU_SOURCE") for source in sources] + libraries


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    needs(not_on_path("clang-14"), "clang-14 libclang-rt-14-dev")
    folder = tmp_path_factory.mktemp("fuzz")
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda source: compile_kernel(source, folder), KERNELS))


@pytest.fixture(scope="module")
def campaigns(objects, tmp_path_factory):
    """target -> (exit status, what libFuzzer said), all run in parallel."""
    folder = tmp_path_factory.mktemp("campaigns")
    with ThreadPoolExecutor(len(TARGETS)) as pool:  # libFuzzer's seconds are those of the clock

        def campaign(target):
            program, corpus = folder / target, folder / f"corpus_{target}"
            linked = compiled_for(target, folder)
            if target == OF_THE_READER:
                compiler, source = ["clang++-14", *FLAGS, "-std=c++17"], NATIVE / f"tests/{target}.cpp"
            else:
                compiler, source = ["clang-14", *FLAGS], NATIVE / f"tests/{target}.c"
            run(*compiler, "-fsanitize=fuzzer,address,undefined", *INCLUDES, source, *objects, *linked, "-o", program)
            corpus.mkdir()
            for i, seed in enumerate(SEEDS[target]):
                (corpus / f"seed{i}").write_bytes(seed)
            options = ["-seed=1", f"-max_total_time={seconds(target)}", "-timeout=10", "-print_final_stats=1"]
            command = [program, *options, corpus]
            done = subprocess.run([str(part) for part in command], check=False, cwd=folder, capture_output=True)
            return done.returncode, done.stderr.decode("utf-8", "replace")

        return dict(zip(TARGETS, pool.map(campaign, TARGETS), strict=True))


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_that_a_target_expects_is_broken_by_any_input(campaigns, target):
    status, said = campaigns[target]
    assert status == 0, said[-4000:]
    runs = int(said.split("stat::number_of_executed_units:")[1].split()[0])
    assert runs > 5 * seconds(target), "so few inputs prove nothing"


def test_a_target_notices_a_broken_expectation(objects, tmp_path):
    """The same target over a parser that takes a card id's digits wrongly: the fuzzer must stop with the input."""
    parser = (NATIVE / "token/payload.c").read_text("utf-8")
    right = "out->card_id_length = (uint8_t)(field.length / 2);"
    assert parser.count(right) == 1
    (tmp_path / "payload.c").write_text(parser.replace(right, "out->card_id_length = (uint8_t)(field.length / 4);"))
    (tmp_path / "seed").write_bytes(SEEDS["fuzz_payload"][1])
    program = tmp_path / "fuzz"
    others = [path for path in objects if path.stem != "payload"]
    sources = [tmp_path / "payload.c", NATIVE / "tests/fuzz_payload.c", *others]
    run("clang-14", *FLAGS, "-fsanitize=fuzzer,address,undefined", *INCLUDES, *sources, "-o", program)
    done = subprocess.run([program, tmp_path / "seed"], check=False, cwd=tmp_path, capture_output=True)
    assert done.returncode != 0
    assert b"not true: p->card.length == 2 * p->card_id_length" in done.stderr
