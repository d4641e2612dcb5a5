"""What a dialled number is, by Google's metadata of the world's numbering plans (``phonenumbers``)."""

from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType, ShortNumberCost, shortnumberinfo

from thirdring_device.core.dialplan import DialledNumber, DialPlanSettings, NumberKind

__all__ = ["classify"]

SHORT_DIGITS: Final = 6
"""No subscriber can be reached over a trunk by so few digits: service numbers, each country's own."""


def classify(number: str, settings: DialPlanSettings) -> DialledNumber:
    """Return what ``number`` (digits, ``*``, ``#``, a leading ``+``) is, dialled in ``settings.country``."""
    country = settings.country
    if number in settings.emergency or phonenumbers.is_emergency_number(number, country):
        return DialledNumber(number, "emergency")
    if "*" in number or "#" in number:
        return DialledNumber(number, "service")
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException as reason:
        unknown_country = reason.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        return DialledNumber(number, "international" if unknown_country else "short")
    if not number.startswith("+") and len(number) <= SHORT_DIGITS:
        cost = shortnumberinfo.expected_cost_for_region(parsed, country)
        return DialledNumber(number, "premium" if cost == ShortNumberCost.PREMIUM_RATE else "short")
    return _full(number, parsed, country)


def _full(number: str, parsed: phonenumbers.PhoneNumber, country: str) -> DialledNumber:
    home_code = phonenumbers.country_code_for_region(country)
    abroad = phonenumbers.region_code_for_number(parsed) not in (country, None)
    premium = phonenumbers.number_type(parsed) == PhoneNumberType.PREMIUM_RATE
    kind: NumberKind = "international" if parsed.country_code != home_code or abroad else "national"
    if premium:
        kind = "premium"
    if not phonenumbers.is_valid_number(parsed):
        return DialledNumber(number, kind)
    e164 = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    if kind == "international":
        return DialledNumber(number, "international", e164, e164)
    national = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
    digits = "".join(char for char in national if char.isdecimal())
    return DialledNumber(number, kind, e164, digits)
