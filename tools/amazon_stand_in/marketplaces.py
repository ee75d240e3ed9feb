"""The marketplaces of each Amazon region (source: SP-API documentation, "Marketplace IDs")."""

from dataclasses import dataclass
from typing import Final, Literal

type Region = Literal["NA", "EU", "FE"]


@dataclass(frozen=True, slots=True)
class Marketplace:
    """One Amazon site: its ID, name, region, country (ISO 3166) and currency (ISO 4217)."""

    marketplace_id: str
    name: str
    region: Region
    country: str
    currency: str


_ROWS: Final[tuple[tuple[str, str, Region, str, str], ...]] = (
    ("A2EUQ1WTGCTBG2", "Amazon.ca", "NA", "CA", "CAD"),
    ("ATVPDKIKX0DER", "Amazon.com", "NA", "US", "USD"),
    ("A1AM78C64UM0Y8", "Amazon.com.mx", "NA", "MX", "MXN"),
    ("A2Q3Y263D00KWC", "Amazon.com.br", "NA", "BR", "BRL"),
    ("A28R8C7NBKEWEA", "Amazon.ie", "EU", "IE", "EUR"),
    ("A1RKKUPIHCS9HS", "Amazon.es", "EU", "ES", "EUR"),
    ("A1F83G8C2ARO7P", "Amazon.co.uk", "EU", "GB", "GBP"),
    ("A13V1IB3VIYZZH", "Amazon.fr", "EU", "FR", "EUR"),
    ("AMEN7PMS3EDWL", "Amazon.com.be", "EU", "BE", "EUR"),
    ("A1805IZSGTT6HS", "Amazon.nl", "EU", "NL", "EUR"),
    ("A1PA6795UKMFR9", "Amazon.de", "EU", "DE", "EUR"),
    ("APJ6JRA9NG5V4", "Amazon.it", "EU", "IT", "EUR"),
    ("A2NODRKZP88ZB9", "Amazon.se", "EU", "SE", "SEK"),
    ("AE08WJ6YKNBMC", "Amazon.co.za", "EU", "ZA", "ZAR"),
    ("A1C3SOZRARQ6R3", "Amazon.pl", "EU", "PL", "PLN"),
    ("ARBP9OOSHTCHU", "Amazon.eg", "EU", "EG", "EGP"),
    ("A33AVAJ2PDY3EV", "Amazon.com.tr", "EU", "TR", "TRY"),
    ("A17E79C6D8DWNP", "Amazon.sa", "EU", "SA", "SAR"),
    ("A2VIGQ35RCS4UG", "Amazon.ae", "EU", "AE", "AED"),
    ("A21TJRUUN4KGV", "Amazon.in", "EU", "IN", "INR"),
    ("A19VAU5U5O7RUS", "Amazon.sg", "FE", "SG", "SGD"),
    ("A39IBJ37TRP1C6", "Amazon.com.au", "FE", "AU", "AUD"),
    ("A1VC38T7YXB528", "Amazon.co.jp", "FE", "JP", "JPY"),
)

MARKETPLACES: Final = {row[0]: Marketplace(*row) for row in _ROWS}


def marketplaces_of(region: Region) -> tuple[Marketplace, ...]:
    return tuple(marketplace for marketplace in MARKETPLACES.values() if marketplace.region == region)


def marketplace_in(country: str) -> Marketplace:
    return next(marketplace for marketplace in MARKETPLACES.values() if marketplace.country == country)
