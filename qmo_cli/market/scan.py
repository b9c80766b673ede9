# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# mypy: disable-error-code="valid-type, name-defined"
"""The canonical MBO line, read at the speed of a pipe.

Nothing is accepted but the form that :mod:`qmo_cli.market.line` writes, to the byte; any other line is left to the
validating path, which also finds the words for what is wrong. The head of a line, up to instrument_id, is compared as
a whole with the heads that are known.
"""

from __future__ import annotations

import cython

# C constants: as literals, numbers beyond 32 bits would be Python objects
UNDEFINED_TIME = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)  # also the largest 64-bit number
UNDEFINED_PRICE = cython.declare(cython.ulonglong, 0x7FFFFFFFFFFFFFFF)
U32_MOST = cython.declare(cython.ulonglong, 0xFFFFFFFF)
I32_MOST = cython.declare(cython.ulonglong, 0x7FFFFFFF)
I32_LEAST = cython.declare(cython.ulonglong, 0x80000000)
DELTA_RANGE = cython.declare(cython.ulonglong, 0x100000000)

# memchr, memcmp, memcpy and strlen come from scan.pxd; interpreted, the branches that call them are not taken.


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
@cython.exceptval(check=False)
def newline(
    text: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t, stop: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Offset of the line's end; -1 where the line is not complete."""
    if not cython.compiled:
        return text.find(b"\n", at, stop)
    found: cython.pointer[cython.const[cython.uchar]]
    found = cython.cast(cython.pointer[cython.const[cython.uchar]], memchr(text + at, 10, stop - at))
    return -1 if found == cython.NULL else found - text


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def after(
    text: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t, eol: cython.Py_ssize_t,
    wanted: cython.p_const_char,
) -> cython.Py_ssize_t:
    """Offset after a constant that must stand at ``at``; -1 if it does not (or if ``at`` is -1 already)."""
    length: cython.Py_ssize_t = strlen(wanted) if cython.compiled else len(wanted)
    if at < 0 or at + length > eol:
        return -1
    if cython.compiled:
        return at + length if memcmp(text + at, wanted, length) == 0 else -1
    return at + length if text[at:at + length] == wanted else -1


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def digits_end(text: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Offset after the digits that start at ``at`` (the line's end stops them at the latest)."""
    while 48 <= text[at] <= 57:
        at += 1
    return at


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def value_of(
    text: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t, end: cython.Py_ssize_t,
) -> cython.ulonglong:
    """Value of at most 19 digits."""
    value: cython.ulonglong = 0
    while at < end:
        value = value * 10 + (text[at] - 48)
        at += 1
    return value


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def store(
    record: cython.pointer[cython.uchar], at: cython.Py_ssize_t, value: cython.ulonglong, size: cython.Py_ssize_t,
) -> cython.void:
    """Write a number of ``size`` bytes at an offset, least byte first."""
    if cython.compiled:
        memcpy(record + at, cython.address(value), size)
    else:
        record[at:at + size] = value.to_bytes(size, "little")


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def read_number(
    text: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t,
    record: cython.pointer[cython.uchar], target: cython.Py_ssize_t, size: cython.Py_ssize_t, most: cython.ulonglong,
) -> cython.Py_ssize_t:
    """Read an unsigned number no larger than ``most`` into the record; -1 if it is not one, like all that read."""
    if at < 0:
        return -1
    end: cython.Py_ssize_t = digits_end(text, at)
    if end == at or end - at > 19 or (text[at] == 48 and end - at > 1):
        return -1
    value: cython.ulonglong = value_of(text, at, end)
    if value > most:
        return -1
    store(record, target, value, size)
    return end


@cython.cfunc
@cython.exceptval(check=False)
def read_time(
    text: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t, eol: cython.Py_ssize_t,
    record: cython.pointer[cython.uchar], target: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Read a quoted number of ns, or null."""
    if at < 0:
        return -1
    if text[at] == 34:
        return after(text, read_number(text, at + 1, record, target, 8, UNDEFINED_TIME - 1), eol, b'"')
    store(record, target, UNDEFINED_TIME, 8)
    return after(text, at, eol, b"null")


@cython.cfunc
@cython.exceptval(check=False)
def read_price(
    text: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t, eol: cython.Py_ssize_t,
    record: cython.pointer[cython.uchar], target: cython.Py_ssize_t, needed: cython.bint,
) -> cython.Py_ssize_t:
    """Read a price of up to 15 digits (where a float is exact), or null unless it is needed."""
    if at < 0:
        return -1
    if text[at] == 110:
        store(record, target, UNDEFINED_PRICE, 8)
        return -1 if needed else after(text, at, eol, b"null")
    negative: cython.bint = text[at] == 45
    if negative:
        at += 1
    point: cython.Py_ssize_t = digits_end(text, at)
    if point == at or text[point] != 46 or (text[at] == 48 and point - at > 1):
        return -1
    end: cython.Py_ssize_t = digits_end(text, point + 1)
    places: cython.Py_ssize_t = end - point - 1
    if places < 1 or places > 9 or point - at + places > 15 or (places > 1 and text[end - 1] == 48):
        return -1
    value: cython.ulonglong = value_of(text, at, point)
    index: cython.Py_ssize_t
    for index in range(9):
        value = value * 10 + ((text[point + 1 + index] - 48) if index < places else 0)
    if negative:
        if value == 0:
            return -1
        value = UNDEFINED_TIME - value + 1
    store(record, target, value, 8)
    return end


@cython.cfunc
@cython.exceptval(check=False)
def read_delta(
    text: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t,
    record: cython.pointer[cython.uchar], target: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Read ts_in_delta, a signed number of 32 bits."""
    if at < 0 or text[at] != 45:
        return read_number(text, at, record, target, 4, I32_MOST)
    end: cython.Py_ssize_t = read_number(text, at + 1, record, target, 4, I32_LEAST)
    value: cython.ulonglong = number_at(record, target, 4)
    if end < 0 or value == 0:
        return -1
    store(record, target, DELTA_RANGE - value, 4)
    return end


@cython.cfunc
@cython.exceptval(check=False)
def read_letters(
    text: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t, eol: cython.Py_ssize_t,
    record: cython.pointer[cython.uchar], target: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Read action and side, each one of its known letters."""
    at = after(text, at, eol, b',"action":"')
    if at < 0 or at + 12 > eol:
        return -1
    action: cython.uchar = text[at]
    side: cython.uchar = text[at + 11]
    if action not in (65, 67, 70, 77, 78, 82, 84) or side not in (65, 66, 78):  # ACFMNRT, ABN
        return -1
    record[target] = action
    record[target + 1] = side
    if after(text, at + 1, eol, b'","side":"') < 0:
        return -1
    return at + 12


@cython.cfunc
@cython.exceptval(check=False)
def read_body(
    text: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t, eol: cython.Py_ssize_t,
    record: cython.pointer[cython.uchar], target: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Read all that follows the head into the 56 bytes at ``target``; gives the line's end, or -1."""
    at = read_time(text, after(text, at, eol, b',"ts_event":'), eol, record, target + 8)
    at = read_time(text, after(text, at, eol, b',"ts_recv":'), eol, record, target + 40)
    at = after(text, read_letters(text, at, eol, record, target + 38), eol, b'","price":')
    needed: cython.bint = record[target + 38] in (65, 70, 77, 84)  # A F M T
    at = after(text, read_price(text, at, eol, record, target + 24, needed), eol, b',"size":')
    at = after(text, read_number(text, at, record, target + 32, 4, U32_MOST), eol, b',"order_id":"')
    at = after(text, read_number(text, at, record, target + 16, 8, UNDEFINED_TIME), eol, b'","flags":')
    at = after(text, read_number(text, at, record, target + 36, 1, 255), eol, b',"channel_id":')
    at = after(text, read_number(text, at, record, target + 37, 1, 255), eol, b',"sequence":')
    at = after(text, read_number(text, at, record, target + 52, 4, U32_MOST), eol, b',"ts_in_delta":')
    at = after(text, read_delta(text, at, record, target + 48), eol, b',"publisher_id":')
    return read_rest(text, at, eol, record, target)


@cython.cfunc
@cython.exceptval(check=False)
def read_rest(
    text: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t, eol: cython.Py_ssize_t,
    record: cython.pointer[cython.uchar], target: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Read the publisher, the label that simulated records carry, and the closing brace."""
    at = read_number(text, at, record, target + 2, 2, 0xFFFF)
    if at >= 0 and number_at(record, target + 2, 2) == 65535:
        at = after(text, at, eol, b',"source":"simulator"')
    at = after(text, at, eol, b"}")
    record[target] = 14
    record[target + 1] = 160
    return at if at == eol else -1


def load_mbo(
    text: cython.const[cython.uchar][::1], start: cython.Py_ssize_t, stop: cython.Py_ssize_t, heads: dict[bytes, int],
) -> tuple[bytes, int, int]:
    """The MBO records of the canonical lines from ``start`` on, their number, and the offset of the first other line.

    ``heads`` holds the heads in force now and the instrument id of each. A line that is not complete is another line.
    """
    base: cython.pointer[cython.const[cython.uchar]]
    base = cython.address(text[0]) if cython.compiled else text
    size: cython.Py_ssize_t = max(0, stop - start) // 3 + 64  # a canonical line is longer than three records
    buffer = bytearray(size)
    view: cython.uchar[::1] = buffer
    record: cython.pointer[cython.uchar] = cython.address(view[0]) if cython.compiled else buffer
    head: bytes = b""
    head_at: cython.p_const_char = head
    length: cython.Py_ssize_t = 0
    identifier: cython.ulonglong = 0
    lines: cython.Py_ssize_t = 0
    at: cython.Py_ssize_t = start
    eol: cython.Py_ssize_t
    body: cython.Py_ssize_t
    while at < stop and (lines + 1) * 56 <= size:
        eol = newline(base, at, stop)
        if eol < 0:
            break
        body = after(base, at, eol, head_at) if length else -1
        if body < 0:
            body = head_end(text, at, eol)
            head = bytes(text[at:body])
            found = heads.get(head)
            if found is None:
                break
            head_at = head
            length = len(head)
            identifier = found
        store(record, lines * 56 + 4, identifier, 4)
        if read_body(base, body, eol, record, lines * 56) < 0:
            break
        lines += 1
        at = eol + 1
    return bytes(memoryview(buffer)[:lines * 56]), lines, at


def head_end(text: cython.const[cython.uchar][::1], at: cython.Py_ssize_t, eol: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Offset at which the head of a line ends; its start where it has none."""
    found: cython.Py_ssize_t = bytes(text[at:eol]).find(b',"ts_event":')
    return at + max(found, 0)
