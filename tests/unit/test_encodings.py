"""The encodings in which sheets come."""

import pytest

from needs_attention.values.encodings import UnreadableText, decoded

TEXT = "orderId,firstName\r\n701-1,Zoë\r\n"
BEYOND = "orderId,firstName\r\n701-1,山田太郎 Łukasz\r\n"


@pytest.mark.parametrize("text", [TEXT, BEYOND])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("charset", ["", "utf-8", "windows-1252"])
def test_unicode_is_read_by_its_bytes_whatever_the_header_says(text: str, encoding: str, charset: str) -> None:
    assert decoded(text.encode(encoding), charset) == text


@pytest.mark.parametrize("charset", ["windows-1252", "Windows-1252 ", "ISO-8859-1", "latin1", "cp1252"])
def test_windows_1252_is_read_if_the_header_says_so(charset: str) -> None:
    assert decoded((TEXT + "€").encode("cp1252"), charset) == TEXT + "€"


@pytest.mark.parametrize(
    ("sent", "charset"),
    [
        (TEXT.encode("cp1252"), ""),
        (TEXT.encode("cp1252"), "utf-8"),
        (BEYOND.encode("cp932", "replace"), "shift_jis"),
        (b"\x81\x8d", "windows-1252"),
        (TEXT.encode("utf-16")[:-1], ""),
        (b"o\0r", ""),
    ],
)
def test_bytes_that_are_no_text_for_sure_are_refused(sent: bytes, charset: str) -> None:
    with pytest.raises(UnreadableText):
        decoded(sent, charset)


def test_nothing_is_an_empty_text() -> None:
    assert decoded(b"", "") == ""
