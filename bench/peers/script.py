"""The usual script: read a CSV of people, derive each card id with `gmssl`, write a CSV. A process of its own:

python bench/peers/script.py people.csv cards.csv
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from people import SECURITY_KEY

from peers.gmssl_python import derive


def main(source: Path, target: Path) -> None:
    with source.open(encoding="utf-8", newline="") as file:
        rows = [(row["id_type"], row["id_number"], row["name"]) for row in csv.DictReader(file)]
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("card_id",))
        writer.writerows([card_id] for card_id in derive(rows, SECURITY_KEY))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
