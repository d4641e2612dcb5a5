"""Contacts as CSV (RFC 4180): what spreadsheets write and read."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from thirdring.protocol.commands import SaveContact
from thirdring.protocol.errors import error
from thirdring.protocol.views import ContactView

__all__ = ["contacts_from_csv", "contacts_to_csv"]

COLUMNS: Final = ("number", "name", "firm", "post", "remark")
CHINESE: Final = {"号码": "number", "姓名": "name", "单位": "firm", "职务": "post", "备注": "remark"}
MOST_ROWS: Final = 5000


def contacts_to_csv(contacts: Iterable[ContactView]) -> str:
    """Return the contacts with a header line; lines end in CR LF."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([getattr(contact, column) for column in COLUMNS] for contact in contacts)
    return text.getvalue()


def contacts_from_csv(text: str, source: str) -> Iterator[SaveContact]:
    """Yield the command for each line; the header names the columns, in English or Chinese, in any order.

    Commas or semicolons part the columns. Raises ``RequestError`` 1004 with the line's number.
    """
    text = text.removeprefix("\ufeff")
    separator = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    try:
        header = [CHINESE.get(name.strip(), name.strip().lower()) for name in next(reader, [])]
        if not {"number", "name"} <= set(header) <= set(COLUMNS) or len(set(header)) != len(header):
            raise error(1004, f"line 1: columns are {', '.join(COLUMNS)}; number and name at least")
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header) or reader.line_num > MOST_ROWS:
                raise error(1004, f"line {reader.line_num}: {len(row)} columns, or over {MOST_ROWS} lines")
            fields = dict(zip(header, (cell.strip() for cell in row), strict=True))
            if not fields["number"] or not fields["name"]:
                raise error(1004, f"line {reader.line_num}: number or name is empty")
            yield SaveContact(
                number=fields["number"],
                contact=fields["name"],
                firm=fields.get("firm", ""),
                post=fields.get("post", ""),
                remark=fields.get("remark", ""),
                source=source,
            )
    except csv.Error as reason:
        raise error(1004, f"line {reader.line_num}: {reason}") from reason
