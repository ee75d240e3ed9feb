"""The encodings of sheets: Unicode, and Windows-1252 if somebody says so."""


class UnreadableText(Exception):
    """Bytes that are not text in any encoding that a sheet may have."""


# The names of Windows-1252 in a Content-Type, as browsers read them (WHATWG Encoding Standard, 4.2).
_WINDOWS_1252 = frozenset({"windows-1252", "cp1252", "x-cp1252", "iso-8859-1", "iso8859-1", "latin1", "us-ascii"})
_UTF_8, _UTF_16_LITTLE, _UTF_16_BIG = "\ufeff".encode(), b"\xff\xfe", b"\xfe\xff"


def decoded(sent: bytes, charset: str) -> str:
    """The text of a sheet, without its byte order mark: UTF-8, UTF-16, or Windows-1252 if `charset` says so.

    Bytes that can be UTF-8 are: text of another encoding hardly ever can. Windows-1252 is believed, never guessed,
    because its bytes are as likely another code page of Windows. Raises UnreadableText.
    """
    encodings = ["utf-8-sig"]
    if sent.startswith((_UTF_16_LITTLE, _UTF_16_BIG)):
        encodings = ["utf-16"]
    elif b"\0" in sent[:2]:  # the names of the columns are ASCII
        encodings = ["utf-16-be" if sent[:1] == b"\0" else "utf-16-le"]
    elif charset.strip().lower() in _WINDOWS_1252:
        encodings.append("cp1252")
    for encoding in encodings:
        try:
            return sent.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableText
