"""Checks credentials, headers and reading against Amazon's static sandbox: `make sandbox REGION=EU`.

The sandbox answers only its own fixed parameters, so no download can run against it. It does check the LWA credentials
and the headers, and its orders are read as downloads read them. It takes the credentials of an application in sandbox
status from the environment: SP_API_CLIENT_ID, SP_API_CLIENT_SECRET and SP_API_REFRESH_TOKEN.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from urllib.parse import urlencode

from needs_attention.amazon.client import REGION_ENDPOINTS, SellingPartnerApi
from needs_attention.amazon.errors import AccessDenied, CredentialsRejected, RequestRejected, SpApiError
from needs_attention.amazon.order_json import read_order
from needs_attention.amazon.tokens import LWA_ENDPOINT, Credentials
from needs_attention.orders.amazon_order import AmazonOrder, UnreadableOrder
from tools.amazon_stand_in.marketplaces import Region
from tools.amazon_stand_in.sandbox import CASES, SandboxCase

SECRETS = ("SP_API_CLIENT_ID", "SP_API_CLIENT_SECRET", "SP_API_REFRESH_TOKEN")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.sandbox", description=__doc__)
    parser.add_argument("--region", choices=REGION_ENDPOINTS, default="NA")
    region: Region = parser.parse_args().region
    if missing := [name for name in SECRETS if not os.environ.get(name)]:
        sys.stderr.write(f"Set {', '.join(missing)} to the credentials of an application in sandbox status.\n")
        return 2
    api = SellingPartnerApi(
        Credentials(*(os.environ[name] for name in SECRETS)),
        # The hosts: developer-docs.amazon.com/sp-api, "SP-API Sandbox".
        endpoint=os.environ.get("SP_API_ENDPOINT") or REGION_ENDPOINTS[region].replace("://", "://sandbox."),
        lwa_endpoint=os.environ.get("LWA_ENDPOINT") or LWA_ENDPOINT,
    )
    findings = list(checked(api, region))
    sys.stdout.writelines(f"{finding}\n" for finding in findings)
    return 0 if all(finding.startswith("ok") for finding in findings) else 1


def checked(api: SellingPartnerApi, region: Region) -> Iterator[str]:
    """A line for each of the sandbox's calls in the region; "ok" begins the good ones."""
    for case in CASES:
        if case.region != region:
            continue
        name = f"{case.operation} {case.order_id}"
        try:
            order = read_order(_asked_for(api, case))
        except CredentialsRejected as error:
            yield f"FAILED {name}: Login with Amazon refuses the credentials. {error}"
            return
        except AccessDenied as error:
            yield f"FAILED {name}: the application may not call this in the sandbox of {region}. {error}"
        except RequestRejected as error:
            yield f"FAILED {name}: the sandbox does not know these parameters any more. {error}"
        except (SpApiError, UnreadableOrder) as error:
            yield f"FAILED {name}: {error}"
        else:
            differing = _differences(order, case)
            yield f"FAILED {name}: read otherwise than Amazon documents: {differing}" if differing else f"ok {name}"


def _asked_for(api: SellingPartnerApi, case: SandboxCase) -> object:
    answer = api.call(case.operation, "GET", f"{case.path}?{urlencode(case.query)}")
    if case.operation == "getOrder":
        return answer.get("order")
    orders = answer.get("orders")
    return orders[0] if isinstance(orders, list) and orders else None


def _differences(order: AmazonOrder, case: SandboxCase) -> str:
    found = {
        "orderId": (order.order_id, case.order_id),
        "country": (order.delivery_address and order.delivery_address.country_code, case.country),
        "fulfillmentStatus": (order.fulfillment_status, case.status),
        "fulfilledBy": (order.fulfilled_by, case.fulfilled_by),
        "lines": (len(order.line_items or ()), case.lines),
        "recipient": (order.recipient_name is not None, True),
        "buyer": (order.buyer_name is not None, case.has_buyer),
    }
    return ", ".join(f"{name} {read!r}" for name, (read, expected) in found.items() if read != expected)


if __name__ == "__main__":
    sys.exit(main())
