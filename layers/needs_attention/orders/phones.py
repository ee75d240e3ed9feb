"""Checks a phone number against the numbering plan of its country (package phonenumberslite)."""


def may_be_phone(text: str, country: str | None) -> bool:
    """Whether `text` may be a phone number as people dial it in `country`, a two-letter code in capitals.

    An extension may follow, as Amazon writes it ("ext. 12345"). After a +, the number may belong to any country: a
    recipient may have a phone from abroad. Without a country, or a numbering plan for it, every text passes.
    """
    # Imported here: it takes 10 ms, and few edits type a phone.
    import phonenumbers  # noqa: PLC0415 - see above

    if country not in phonenumbers.SUPPORTED_REGIONS:
        return True
    try:
        # Not `is_possible_number`: it only counts digits, and fillers such as 000-000-0000 have the right number.
        return phonenumbers.is_valid_number(phonenumbers.parse(text, country))
    except phonenumbers.NumberParseException:
        return False
