"""Numbers and times as a trader reads them."""

from __future__ import annotations

from ..rounding import number

DASH = "-"


def decimals(tick: float) -> int:
    """How many decimals a multiple of a tick needs.

    >>> decimals(0.1), decimals(0.25), decimals(1.0), decimals(0.0078125)
    (1, 2, 0, 7)
    """
    return len(f"{tick:.9f}".rstrip("0").partition(".")[2])


def price(value: float | None, tick: float | None) -> str:
    """A price with the decimals of its tick; one that lies between ticks with all its own.

    >>> price(4002.0, 0.1), price(4002.05, 0.1), price(4002.0, None), price(None, 0.1)
    ('4002.0', '4002.05', '4002', '-')
    """
    if value is None:
        return DASH
    if tick is None or abs(value / tick - round(value / tick)) > 1e-6:
        return number(value)
    return f"{value:.{decimals(tick)}f}"


def signed(value: float | None) -> str:
    """A number with its sign.

    >>> signed(12), signed(-3), signed(0), signed(None)
    ('+12', '-3', '0', '-')
    """
    return DASH if value is None else "0" if value == 0 else f"{'+' if value > 0 else ''}{number(value)}"


def share(value: float | None) -> str:
    """A number between 0 and 1, with three decimals.

    >>> share(0.46853), share(1.0), share(None)
    ('.469', '1.00', '-')
    """
    if value is None:
        return DASH
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0.") else text[:4]


def weight(value: float) -> str:
    """A weight or a cut, with two decimals.

    >>> weight(0.25), weight(0.0), weight(1.0)
    ('.25', '.00', '1.0')
    """
    text = f"{value:.2f}"
    return text[1:] if text.startswith("0.") else text[:3]


def span(minutes: int) -> str:
    """Minutes as hours and minutes.

    >>> span(380), span(45), span(2880)
    ('6h20', '45 min', '48h00')
    """
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}"


def age(seconds: float | None) -> str:
    """How long ago the last packet came.

    >>> age(0.41), age(12.3), age(75.0), age(7300.0), age(None)
    ('0.4 s', '12 s', '1m15', '2h01', '-')
    """
    if seconds is None:
        return DASH
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    whole = int(seconds)
    return f"{whole // 60}m{whole % 60:02d}" if whole < 3600 else f"{whole // 3600}h{whole % 3600 // 60:02d}"


def clock(ts: str | int) -> str:
    """The time of day in UTC of ns since 1970.

    >>> clock("1791211200000000000")
    '14:40:00'
    """
    second = int(ts) // 1_000_000_000 % 86_400
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def count(value: int | None) -> str:
    """Contracts, in few characters.

    >>> count(14), count(12345), count(2345678), count(None)
    ('14', '12.3k', '2.35M', '-')
    """
    if value is None:
        return DASH
    for limit, unit in ((1_000_000, "M"), (10_000, "k")):
        if abs(value) >= limit:
            return f"{value / (1_000_000 if unit == 'M' else 1000):.3g}{unit}"
    return str(value)
