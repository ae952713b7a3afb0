"""Running `ehc derive` and looking at its files, for test_derive_command.py and test_derive_interrupted.py."""

import csv
import os
import subprocess
import sys

from reference.derivation import derive as reference

KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
SAMPLE = ("01", "11010020171225006X", "电子健康卡")
SAMPLE_MINDEX = "ABD17E7ED399EF68AB5660155D6E226D2C92EAC3254A4A66BED83AED0ADA1E9E"
SAMPLE_CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
HEADER = "id_type,id_number,name\n"
EACH_BLOCK = ("--block", "1", "--checkpoint", "0")  # of some 30 lines


def home_with_keys(home):
    """The environment of commands with this home, whose keyring holds the sample keys of the specification."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "EHC_KEYRING": str(home / "keyring")}
    keys = {"security_key": KEY.hex(), "protection_key": "11223344556677888877665544332211"}
    run(["keys", "init", "--empty"], environment)
    for purpose, key in keys.items():
        run(["keys", "import", "--purpose", purpose], environment, stdin=key.encode())
    return environment


def run(arguments, environment, *, stdin=b"", code=0, cwd=None):
    done = subprocess.run(
        [sys.executable, "-m", "ehc.cli", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env=environment,
        check=False,
        cwd=cwd,
    )
    assert done.returncode == code, done.stderr.decode()
    return done


def derive(environment, *arguments, **options):
    done = run(["derive", *arguments], environment, **options)
    for secret in (KEY.hex(), KEY.hex().upper(), SAMPLE[1], SAMPLE[2]):
        assert secret not in done.stderr.decode()
    return done


def write(path, rows, header=HEADER, encoding="utf-8"):
    path.write_bytes((header + "".join(",".join(row) + "\n" for row in rows)).encode(encoding))
    return path


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def card_of(person):
    card = reference(*person, KEY)
    return card.mindex.hex().upper(), card.card_id.hex().upper()


def names(folder):
    return sorted(path.name for path in folder.iterdir())
