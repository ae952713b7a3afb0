"""A short part of the fuzz of pictures and streams (source_fuzz.py)."""

from source_fuzz import run


def test_hostile_pictures_and_streams_are_refused_and_nothing_else_happens():
    counts = run(3000, 20261129)
    kinds = {name.split()[0] for name in counts}
    assert kinds == {"PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "Y4M"}
    assert all(counts[f"{kind} refused"] > 20 for kind in kinds)
