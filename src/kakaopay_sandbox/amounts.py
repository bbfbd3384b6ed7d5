"""Whole won and how they divide into tax-free, VAT and deposit (docs/wire/kakaopay.md, 2 and 7.5)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Amount:
    """One `amount` object of the wire. `total` includes the points and the discount: the method paid what they left."""

    total: int
    tax_free: int
    vat: int
    green_deposit: int = 0
    point: int = 0
    discount: int = 0

    @property
    def by_method(self) -> int:
        """What Money or the card paid."""
        return self.total - self.point - self.discount

    def minus(self, other: "Amount") -> "Amount":
        return Amount(
            self.total - other.total,
            self.tax_free - other.tax_free,
            self.vat - other.vat,
            self.green_deposit - other.green_deposit,
            self.point - other.point,
            self.discount - other.discount,
        )

    def plus(self, other: "Amount") -> "Amount":
        return Amount(
            self.total + other.total,
            self.tax_free + other.tax_free,
            self.vat + other.vat,
            self.green_deposit + other.green_deposit,
            self.point + other.point,
            self.discount + other.discount,
        )

    def on_the_wire(self) -> dict[str, int]:
        return {
            "total": self.total,
            "tax_free": self.tax_free,
            "vat": self.vat,
            "point": self.point,
            "discount": self.discount,
            "green_deposit": self.green_deposit,
        }


NOTHING = Amount(0, 0, 0)


def default_vat(total: int, tax_free: int) -> int:
    """A rounded eleventh of what is taxed; elevenths never fall on exactly one half."""
    return (2 * (total - tax_free) + 11) // 22


def default_cancel_vat(cancel_total: int, cancel_tax_free: int, left: Amount) -> int:
    """The VAT of a cancel that does not state it, within what is left and what the rest can still hold."""
    return possible_cancel_vat(default_vat(cancel_total, cancel_tax_free), cancel_total, cancel_tax_free, left)


def possible_cancel_vat(vat: int, cancel_total: int, cancel_tax_free: int, left: Amount) -> int:
    """The VAT nearest to `vat` that a cancel can take back: what stays must fit into what stays of the taxed part.

    A cancel that empties the payment so takes all that is left of it, whatever it states.
    """
    taxed_after = (left.total - left.tax_free) - (cancel_total - cancel_tax_free)
    return min(max(vat, left.vat - taxed_after), left.vat)


def splits(amount: Amount) -> bool:
    """Whether the parts fit into the total: tax-free, VAT of the taxed rest, deposit."""
    return (
        0 <= amount.tax_free <= amount.total
        and 0 <= amount.vat <= amount.total - amount.tax_free
        and 0 <= amount.green_deposit <= amount.total
    )
