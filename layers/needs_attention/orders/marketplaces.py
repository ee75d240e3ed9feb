"""Amazon's marketplaces: their IDs, countries, regions of the Selling Partner API, and Seller Central hosts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote


@dataclass(frozen=True)
class Marketplace:
    """An Amazon site. `country_code` is ISO 3166-1: GB, not UK. `seller_central` is the host of its back office."""

    id: str
    country_code: str
    region: str
    seller_central: str

    def order_page(self, order_id: str) -> str:
        """The address of the order's page in Seller Central, for people."""
        return f"https://{self.seller_central}/orders-v3/order/{quote(order_id, safe='')}"


# Amazon's pages "Marketplace IDs" and "Seller Central URLs". Amazon answers 403 to any other ID.
MARKETPLACES: Final[Mapping[str, Marketplace]] = {
    marketplace.id: marketplace
    for marketplace in (
        Marketplace("A2EUQ1WTGCTBG2", "CA", "NA", "sellercentral.amazon.ca"),
        Marketplace("ATVPDKIKX0DER", "US", "NA", "sellercentral.amazon.com"),
        Marketplace("A1AM78C64UM0Y8", "MX", "NA", "sellercentral.amazon.com.mx"),
        Marketplace("A2Q3Y263D00KWC", "BR", "NA", "sellercentral.amazon.com.br"),
        Marketplace("A28R8C7NBKEWEA", "IE", "EU", "sellercentral.amazon.ie"),
        Marketplace("A1RKKUPIHCS9HS", "ES", "EU", "sellercentral-europe.amazon.com"),
        Marketplace("A1F83G8C2ARO7P", "GB", "EU", "sellercentral-europe.amazon.com"),
        Marketplace("A13V1IB3VIYZZH", "FR", "EU", "sellercentral-europe.amazon.com"),
        Marketplace("AMEN7PMS3EDWL", "BE", "EU", "sellercentral.amazon.com.be"),
        Marketplace("A1805IZSGTT6HS", "NL", "EU", "sellercentral.amazon.nl"),
        Marketplace("A1PA6795UKMFR9", "DE", "EU", "sellercentral-europe.amazon.com"),
        Marketplace("APJ6JRA9NG5V4", "IT", "EU", "sellercentral-europe.amazon.com"),
        Marketplace("A2NODRKZP88ZB9", "SE", "EU", "sellercentral.amazon.se"),
        Marketplace("AE08WJ6YKNBMC", "ZA", "EU", "sellercentral.amazon.co.za"),
        Marketplace("A1C3SOZRARQ6R3", "PL", "EU", "sellercentral.amazon.pl"),
        Marketplace("ARBP9OOSHTCHU", "EG", "EU", "sellercentral.amazon.eg"),
        Marketplace("A33AVAJ2PDY3EV", "TR", "EU", "sellercentral.amazon.com.tr"),
        Marketplace("A17E79C6D8DWNP", "SA", "EU", "sellercentral.amazon.sa"),
        Marketplace("A2VIGQ35RCS4UG", "AE", "EU", "sellercentral.amazon.ae"),
        Marketplace("A21TJRUUN4KGV", "IN", "EU", "sellercentral.amazon.in"),
        Marketplace("A19VAU5U5O7RUS", "SG", "FE", "sellercentral.amazon.sg"),
        Marketplace("A39IBJ37TRP1C6", "AU", "FE", "sellercentral.amazon.com.au"),
        Marketplace("A1VC38T7YXB528", "JP", "FE", "sellercentral.amazon.co.jp"),
    )
}
