"""Nothing is read that was not drawn: a short part of misreads.py."""

from misreads import wrong

FRAMES = range(0, 96)


def test_no_spoilt_and_no_empty_frame_is_misread():
    bad, read = wrong(FRAMES)
    assert bad == []
    assert 15 <= read <= 80, "frames of which all or none can be read prove nothing"
