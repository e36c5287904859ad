"""Personal data and credentials as people write them, made up: what redaction has to find.

Numbers have the check digits that real ones have. Everything is drawn from a seed.
"""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prose import Dice

_LETTERS = string.ascii_letters + string.digits


def _random_text(dice: Dice, count: int, letters: str = _LETTERS) -> str:
    return "".join(letters[dice.below(len(letters))] for _ in range(count))


def _email(dice: Dice) -> str:
    name = f"{dice.pick(['ann', 'j.doe', 'Maria_Lopez', 'o-brien'])}{dice.below(9999)}"
    return (
        f"{name}@{dice.pick(['acme', 'mail.contoso', 'uni-bonn'])}.{dice.pick(['com', 'de', 'co.uk', 'io'])}"
    )


def _phone(dice: Dice) -> str:
    last = dice.digits(4)
    forms = (
        f"+1 415 55{dice.digits(1)} {last}",
        f"(415) 555-{last}",
        f"+49 30 {dice.digits(8)}",
        f"020 7946 {last}",
    )
    return forms[dice.below(len(forms))]


def _card(dice: Dice) -> str:
    digits = dice.pick(["4", "52"]) + _random_text(dice, 14, string.digits)
    digits = digits[:15]
    total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(digits))
    whole = digits + str(-total % 10)
    return whole if dice.chance(50) else " ".join(whole[at : at + 4] for at in range(0, 16, 4))


def _iban(dice: Dice) -> str:
    country, length = dice.pick([("DE", 18), ("FR", 23), ("ES", 20), ("AT", 16)])
    account = _random_text(dice, length, string.digits)
    checked = int("".join(str(int(letter, 36)) for letter in f"{account}{country}00"))
    whole = f"{country}{98 - checked % 97:02}{account}"
    return whole if dice.chance(50) else " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))


def _aws_key(dice: Dice) -> str:
    return dice.pick(["AKIA", "ASIA"]) + _random_text(dice, 16, string.ascii_uppercase + "234567")


def _api_token(dice: Dice) -> str:
    payload = [
        base64.urlsafe_b64encode(json.dumps({"sub": dice.digits(9), "alg": "HS256"}).encode()) for _ in "ab"
    ]
    web_token = ".".join([*(part.decode().rstrip("=") for part in payload), _random_text(dice, 43)])
    forms = ("ghp_" + _random_text(dice, 36), f"xoxb-{dice.digits(12)}-{_random_text(dice, 24)}", web_token)
    return forms[dice.below(3)]


def _ip(dice: Dice) -> str:
    if dice.chance(50):
        return f"81.{dice.between(1, 254)}.{dice.between(1, 254)}.{dice.between(1, 254)}"
    return "2a02:8108:" + ":".join(dice.hexadecimal(4) for _ in range(6))


def _private_key(dice: Dice) -> str:
    body = "\n".join(_random_text(dice, 64) for _ in range(6))
    return f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"


PERSONAL: dict[str, tuple[str, Callable[[Dice], str]]] = {
    "email": (" You can reach me at {}.", _email),
    "phone": (" Please call me: {}.", _phone),
    "card": (" I paid with the card {}.", _card),
    "iban": (" Send it to {} please.", _iban),
    "aws_key": (" The key in the script is {}.", _aws_key),
    "api_token": (" It answers 401 with {} in the header.", _api_token),
    "ip": (" The log says that {} was refused.", _ip),
    "private_key": (" I use this:\n{}\n", _private_key),
    "url_password": (
        " We connect to postgres://app:{}@db.acme.com/shop.",
        lambda dice: _random_text(dice, 14),
    ),
}
"""A sentence for each kind, named as the detectors are, and what makes a value."""
