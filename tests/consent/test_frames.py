"""Frames: what is cut into pieces anywhere comes out whole, and nothing longer than a frame is taken or given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.frames import MAX_FRAME_BYTES, FrameError, Splitter, frame


@given(st.lists(st.binary(max_size=40), max_size=6), st.lists(st.integers(0, 60), max_size=8))
def test_messages_come_out_whole_wherever_the_stream_is_cut(bodies: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(frame(body) for body in bodies)
    splitter, found, begin = Splitter(), list[bytes](), 0
    for end in [*sorted(cuts), len(stream)]:
        found += splitter.feed(stream[begin:end])
        begin = max(begin, end)
    assert found == bodies


def test_a_frame_is_its_length_and_its_body() -> None:
    assert frame(b"abc") == b"\0\0\0\3abc"
    assert Splitter().feed(b"\0\0\1\0" + bytes(256)) == [bytes(256)]
    assert len(frame(bytes(MAX_FRAME_BYTES))) == 4 + MAX_FRAME_BYTES == 4 + 65536
    assert Splitter().feed(frame(bytes(MAX_FRAME_BYTES))) == [bytes(MAX_FRAME_BYTES)]


def test_a_longer_one_is_refused_in_words_before_it_comes() -> None:
    with pytest.raises(FrameError, match=r"^a message of 65537 bytes does not fit a frame$"):
        frame(bytes(MAX_FRAME_BYTES + 1))
    with pytest.raises(FrameError, match=r"^the other side announced a message of 65537 bytes$"):
        Splitter().feed(b"\0\1\0\1")
