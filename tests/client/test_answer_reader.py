"""Responses in every form and every cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setpoint.client.answer_reader import MOST_HEAD, AnswerReader
from setpoint.client.failures import UnreadableAnswerError

WHOLE = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=1\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    "trailers": b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\na: b\r\nc: d\r\n\r\n",
    "interim": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhello",
    "spaces": b"HTTP/1.1 200 OK\r\ncontent-length:   5  \r\n\r\nhello",
}


@pytest.mark.parametrize("name", WHOLE)
@given(cuts=st.lists(st.integers(0, 120), max_size=6))
def test_a_response_reads_the_same_however_it_is_cut(name, cuts):
    text = WHOLE[name]
    reader = AnswerReader()
    places = sorted({cut for cut in cuts if cut < len(text)} | {0, len(text)})
    pieces = [text[start:end] for start, end in itertools.pairwise(places)]
    for _ in range(2):  # the same reader reads the next response
        found = [reader.feed(piece) for piece in pieces]
        assert found[:-1] == [None] * (len(pieces) - 1)
        assert (found[-1].status, found[-1].body, found[-1].keep) == (200, b"hello", True)


@pytest.mark.parametrize(
    ("head", "keep"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n", True),
    ],
)
def test_whether_a_connection_can_be_used_again(head, keep):
    assert AnswerReader().feed(head + b"content-length: 0\r\n\r\n").keep is keep


def test_a_body_without_a_length_goes_up_to_the_end():
    reader = AnswerReader()
    assert reader.feed(b"HTTP/1.1 200 OK\r\n\r\nhel") is None
    assert reader.feed(b"lo") is None
    found = reader.end()
    assert (found.body, found.keep) == (b"hello", False)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
    ],
)
def test_an_end_in_the_middle_is_no_response(text):
    reader = AnswerReader()
    assert reader.feed(text) is None
    assert reader.end() is None


def test_a_status_without_a_body_has_none():
    assert AnswerReader().feed(b"HTTP/1.1 204 No Content\r\n\r\n").body == b""


def test_more_than_was_asked_for_ends_the_connection():
    found = AnswerReader().feed(WHOLE["length"] + b"HTTP/1.1 200 OK")
    assert (found.body, found.keep) == (b"hello", False)


@pytest.mark.parametrize(
    "text",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffff\r\n",
        b"x" * (MOST_HEAD + 1),
    ],
)
def test_what_is_no_response_is_refused(text):
    with pytest.raises(UnreadableAnswerError):
        AnswerReader().feed(text)
