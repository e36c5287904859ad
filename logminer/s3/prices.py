"""What requests cost: an example, the list price of one Region and storage class on one day.

Other Regions and classes have other prices, and bodies in colder classes cost a fee for each GB read besides.
Source: https://aws.amazon.com/s3/pricing/
"""

from __future__ import annotations

PRICED_FOR = "S3 Standard in us-east-1"
PRICES_AS_OF = "2026-08-21"
_LIST_USD = 0.005 / 1000
_GET_USD = 0.0004 / 1000


def request_price(lists: int, gets: int) -> float:
    """The price in USD of so many LIST and GET requests, at the prices of `PRICED_FOR` and `PRICES_AS_OF`."""
    return lists * _LIST_USD + gets * _GET_USD
