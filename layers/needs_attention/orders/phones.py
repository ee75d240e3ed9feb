"""Whether a phone number can be one, by the numbering plans of its country (package phonenumberslite)."""


def may_be_phone(text: str, country: str | None) -> bool:
    """Whether `text` may be a phone number as it is dialled in `country`, a two-letter code in capitals.

    An extension may follow, as Amazon writes it ("ext. 12345"). With + in front it may be a number of any country: the
    recipient of a parcel may have a phone from abroad. Of a country without a numbering plan, or of none, nobody can
    tell, so any text may be one.
    """
    # Here, because it takes 10 ms and few edits type a phone.
    import phonenumbers  # noqa: PLC0415 - see above

    if country not in phonenumbers.SUPPORTED_REGIONS:
        return True
    try:
        # Not `is_possible_number`, which counts digits only: fillers such as 000-000-0000 have as many as they should.
        return phonenumbers.is_valid_number(phonenumbers.parse(text, country))
    except phonenumbers.NumberParseException:
        return False
