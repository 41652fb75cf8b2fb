"""Numbers in addresses: one that no row can have is the address of nothing, rather than an error of the database."""

from __future__ import annotations

from werkzeug.routing import IntegerConverter, ValidationError

#: The largest number of a row, on SQLite and on PostgreSQL.
MOST = 2**63 - 1


class RowNumber(IntegerConverter):
    """``<int:…>`` in every address of RSE and its plugins."""

    def to_python(self, value: str) -> int:
        """The number.

        :raises ValidationError: for a larger one; the address is then that of no page.
        """
        # Python refuses to read thousands of digits, and needs no reading to see that they are too many.
        if len(value.lstrip("0")) > len(str(MOST)):
            raise ValidationError
        number: int = super().to_python(value)
        if number > MOST:
            raise ValidationError
        return number
