# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# mypy: disable-error-code="valid-type, name-defined"
"""The canonical MBO line, written at the speed of a pipe.

    {"schema":"mbo","series":"ESH4","symbol":"ESH4","instrument_id":17077,"ts_event":"...","ts_recv":"...",
     "action":"A","side":"B","price":4810.25,"size":1,"order_id":"6813","flags":128,"channel_id":0,
     "sequence":123,"ts_in_delta":1234,"publisher_id":1}

(on one line, without spaces). Its head, up to instrument_id, is the same for all records of an instrument and is
copied as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping

import cython

from qmo_cli.market.scan import load_mbo

__all__ = ["RECORD", "dump_mbo", "load_mbo"]

# memcpy and strlen come from line.pxd; interpreted, the branches that call them are not taken.

ROOM = 400          # bytes that a line may need after its head; the longest has 366
# C constants: as literals, numbers beyond 32 bits would be Python objects
UNDEFINED_TIME = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
UNDEFINED_PRICE = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)
LARGEST_DELTA = cython.declare(cython.longlong, 0x7FFFFFFF)
DELTA_RANGE = cython.declare(cython.longlong, 0x100000000)
NINETEEN_DIGITS = cython.declare(cython.ulonglong, 1_000_000_000_000_000_000)
TWENTY_DIGITS = cython.declare(cython.ulonglong, 10_000_000_000_000_000_000)

RECORD = 56         # bytes of an MBO record
PIECE = 1 << 18     # bytes of output gathered before they are set aside


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def number_at(
    data: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t, size: cython.Py_ssize_t,
) -> cython.ulonglong:
    """The unsigned number of up to eight bytes at an offset, least byte first."""
    if not cython.compiled:
        return int.from_bytes(data[at:at + size], "little")
    value: cython.ulonglong = 0
    memcpy(cython.address(value), data + at, size)  # every platform with Python wheels is little-endian
    return value


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def put(
    line: cython.pointer[cython.uchar], end: cython.Py_ssize_t, text: cython.p_const_char,
) -> cython.Py_ssize_t:
    """Append a constant text; gives the new end, like all that put."""
    if not cython.compiled:
        return put_bytes(line, end, text, len(text))
    return put_bytes(line, end, cython.cast(cython.pointer[cython.const[cython.uchar]], text), strlen(text))


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def put_bytes(
    line: cython.pointer[cython.uchar], end: cython.Py_ssize_t,
    text: cython.pointer[cython.const[cython.uchar]], length: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Append bytes."""
    if cython.compiled:
        memcpy(line + end, text, length)
    else:
        line[end:end + length] = text
    return end + length


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def digits_of(value: cython.ulonglong) -> cython.Py_ssize_t:
    """Number of decimal digits; times have 19, so that these are looked at first."""
    if value >= NINETEEN_DIGITS:
        return 20 if value >= TWENTY_DIGITS else 19
    length: cython.Py_ssize_t = 1
    while value >= 10_000:
        value = value // 10_000
        length += 4
    return length + (value >= 10) + (value >= 100) + (value >= 1_000)


@cython.cfunc
@cython.cdivision(True)
@cython.exceptval(check=False)
def put_number(
    line: cython.pointer[cython.uchar], end: cython.Py_ssize_t, value: cython.ulonglong,
) -> cython.Py_ssize_t:
    """Append an unsigned number in decimal, two digits at a time."""
    if not cython.compiled:
        return put(line, end, b"%d" % value)
    pairs: cython.p_const_char = (
        b"0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
        b"5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"
    )
    at: cython.Py_ssize_t = end + digits_of(value)
    stop: cython.Py_ssize_t = at
    two: cython.ulonglong
    while value >= 100:
        two = 2 * (value % 100)
        value = value // 100
        at -= 2
        line[at] = pairs[two]
        line[at + 1] = pairs[two + 1]
    if value >= 10:
        line[end] = pairs[2 * value]
        line[end + 1] = pairs[2 * value + 1]
    else:
        line[end] = 48 + value
    return stop


@cython.cfunc
@cython.exceptval(check=False)
def put_signed(line: cython.pointer[cython.uchar], end: cython.Py_ssize_t, value: cython.longlong) -> cython.Py_ssize_t:
    """Append a number that may be negative."""
    if value >= 0:
        return put_number(line, end, value)
    line[end] = 45
    return put_number(line, end + 1, -value)


@cython.cfunc
@cython.cdivision(True)
@cython.exceptval(check=False)
def put_price(line: cython.pointer[cython.uchar], end: cython.Py_ssize_t, price: cython.longlong) -> cython.Py_ssize_t:
    """Append price / 1e9 with as many decimals as it needs but at least one; null where it is undefined."""
    if price == UNDEFINED_PRICE:
        return put(line, end, b"null")
    size: cython.ulonglong = -price if price < 0 else price
    if price < 0:
        line[end] = 45
        end += 1
    end = put_number(line, end, size // 1_000_000_000)
    rest: cython.ulonglong = size % 1_000_000_000
    line[end] = 46
    end += 1
    if rest == 0:
        line[end] = 48
        return end + 1
    unit: cython.ulonglong = 100_000_000
    while rest != 0:
        line[end] = 48 + rest // unit
        rest = rest % unit
        unit = unit // 10
        end += 1
    return end


@cython.cfunc
@cython.exceptval(check=False)
def put_time(line: cython.pointer[cython.uchar], end: cython.Py_ssize_t, ts: cython.ulonglong) -> cython.Py_ssize_t:
    """Append a time as a quoted number of ns; null where it is undefined."""
    if ts == UNDEFINED_TIME:
        return put(line, end, b"null")
    line[end] = 34
    end = put_number(line, end + 1, ts)
    line[end] = 34
    return end + 1


@cython.cfunc
@cython.exceptval(check=False)
def put_body(
    line: cython.pointer[cython.uchar], end: cython.Py_ssize_t,
    data: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Append all that follows the head: the fields of the record at an offset, and the newline."""
    end = put_time(line, put(line, end, b',"ts_event":'), number_at(data, at + 8, 8))
    end = put_time(line, put(line, end, b',"ts_recv":'), number_at(data, at + 40, 8))
    end = put(line, end, b',"action":"')
    line[end] = data[at + 38]
    end = put(line, end + 1, b'","side":"')
    line[end] = data[at + 39]
    price: cython.ulonglong = number_at(data, at + 24, 8)
    end = put(line, end + 1, b'","price":')
    if cython.compiled:
        end = put_price(line, end, cython.cast(cython.longlong, price))
    else:
        end = put_price(line, end, price - (1 << 64) if price >> 63 else price)
    end = put_number(line, put(line, end, b',"size":'), number_at(data, at + 32, 4))
    end = put_number(line, put(line, end, b',"order_id":"'), number_at(data, at + 16, 8))
    end = put_number(line, put(line, end, b'","flags":'), data[at + 36])
    end = put_number(line, put(line, end, b',"channel_id":'), data[at + 37])
    end = put_number(line, put(line, end, b',"sequence":'), number_at(data, at + 52, 4))
    delta: cython.longlong = number_at(data, at + 48, 4)
    end = put_signed(line, put(line, end, b',"ts_in_delta":'), delta - DELTA_RANGE if delta > LARGEST_DELTA else delta)
    publisher: cython.ulonglong = number_at(data, at + 2, 2)
    end = put_number(line, put(line, end, b',"publisher_id":'), publisher)
    return put(line, end, b',"source":"simulator"}\n' if publisher == 65535 else b"}\n")


def dump_mbo(
    data: cython.const[cython.uchar][::1], start: cython.Py_ssize_t, stop: cython.Py_ssize_t,
    heads: Mapping[int, bytes],
) -> bytes:
    """The canonical lines of the MBO records between two offsets.

    ``heads`` holds, by instrument id, the line up to and with the instrument id. Raises KeyError for an id not there.
    """
    base: cython.pointer[cython.const[cython.uchar]]
    base = cython.address(data[0]) if cython.compiled else data
    size: cython.Py_ssize_t = min(PIECE, (stop - start) // 56 * (ROOM + 128) + 2048)
    buffer = bytearray(size)
    view: cython.uchar[::1] = buffer
    line: cython.pointer[cython.uchar] = cython.address(view[0]) if cython.compiled else buffer
    pieces: list[bytes] = []
    head: bytes = b""
    head_at: cython.pointer[cython.const[cython.uchar]] = head
    length: cython.Py_ssize_t = 0
    current: cython.longlong = -1
    identifier: cython.longlong
    end: cython.Py_ssize_t = 0
    at: cython.Py_ssize_t = start
    while at < stop:
        identifier = number_at(base, at + 4, 4)
        if identifier != current:
            head = heads[identifier]
            head_at = head
            length = len(head)
            current = identifier
        if end + length + ROOM > size:
            pieces.append(bytes(memoryview(buffer)[:end]))
            end = 0
        end = put_body(line, put_bytes(line, end, head_at, length), base, at)
        at += 56
    pieces.append(bytes(memoryview(buffer)[:end]))
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
