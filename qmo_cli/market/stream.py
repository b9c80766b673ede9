# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# mypy: disable-error-code="valid-type, index"
"""Walking over raw DBN records: where they end, what runs they form, which to keep.

A record's first byte is its length in units of four bytes, its second its record type (rtype).
"""

from __future__ import annotations

import cython

UNDEFINED = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)  # DBN's undefined time

UNDEFINED_PRICE = cython.declare(cython.ulonglong, 0x7FFFFFFFFFFFFFFF)
SECOND = cython.declare(cython.ulonglong, 1_000_000_000)
MINUTE = cython.declare(cython.ulonglong, 60_000_000_000)
HOUR = cython.declare(cython.ulonglong, 3_600_000_000_000)
DAY = cython.declare(cython.ulonglong, 86_400_000_000_000)
SECOND_BARS = cython.declare(cython.int, 32)
MINUTE_BARS = cython.declare(cython.int, 33)
HOUR_BARS = cython.declare(cython.int, 34)
DAY_BARS = cython.declare(cython.int, 35)


@cython.cfunc
@cython.exceptval(check=False)
def word(data: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t) -> cython.ulonglong:
    """The unsigned 64-bit number at an offset, least byte first."""
    if not cython.compiled:
        return int.from_bytes(data[at:at + 8], "little")
    value: cython.ulonglong = (  # in this form a compiler sees that it is one load
        cython.cast(cython.ulonglong, data[at]) | cython.cast(cython.ulonglong, data[at + 1]) << 8
        | cython.cast(cython.ulonglong, data[at + 2]) << 16 | cython.cast(cython.ulonglong, data[at + 3]) << 24
        | cython.cast(cython.ulonglong, data[at + 4]) << 32 | cython.cast(cython.ulonglong, data[at + 5]) << 40
        | cython.cast(cython.ulonglong, data[at + 6]) << 48 | cython.cast(cython.ulonglong, data[at + 7]) << 56
    )
    return value


@cython.cfunc
@cython.exceptval(check=False)
def received_at(rtype: cython.uchar) -> cython.Py_ssize_t:
    """Offset of ts_recv in a record of this type; 0 where it has none."""
    if rtype == 160:
        return 40
    if rtype == 0 or rtype == 1 or rtype == 10 or rtype == 195 or rtype == 196:
        return 32
    return 16 if rtype == 18 or rtype == 19 or rtype == 24 else 0


@cython.cfunc
@cython.exceptval(check=False)
def expected_length(rtype: cython.uchar) -> cython.uchar:
    """Length, in units of four bytes, of the types that are read; 0 for the others."""
    if rtype == 160 or (rtype >= SECOND_BARS and rtype <= DAY_BARS):
        return 14
    if rtype == 0:
        return 12
    if rtype == 1 or rtype == 195 or rtype == 196 or rtype == 24:
        return 20
    if rtype == 10:
        return 92
    if rtype == 18:
        return 10
    if rtype == 21 or rtype == 23:
        return 80
    return 130 if rtype == 19 else 44 if rtype == 22 else 0


@cython.cfunc
@cython.exceptval(check=False)
def indexed_at(data: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t) -> cython.ulonglong:
    """The time by which the vendor files a record, ns: ts_recv where defined, else ts_event."""
    offset: cython.Py_ssize_t = received_at(data[at + 1])
    when: cython.ulonglong = word(data, at + offset) if offset else UNDEFINED
    return word(data, at + 8) if when == UNDEFINED else when


@cython.cfunc
@cython.exceptval(check=False)
def time_of(data: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t) -> cython.ulonglong:
    """A record's time, ns: when it could be known. A bar is known at its close, not at its ts_event (the open)."""
    rtype: cython.uchar = data[at + 1]
    if rtype < SECOND_BARS or rtype > DAY_BARS:
        return indexed_at(data, at)
    when: cython.ulonglong = word(data, at + 8)
    if rtype == SECOND_BARS:
        return when + SECOND
    if rtype == MINUTE_BARS:
        return when + MINUTE
    return when + (HOUR if rtype == HOUR_BARS else DAY)


@cython.cfunc
@cython.exceptval(check=False)
def sound(data: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t) -> cython.bint:
    """False for a record of impossible length, an unknown action or side, or no price where one must be."""
    rtype: cython.uchar = data[at + 1]
    length: cython.uchar = expected_length(rtype)
    if length != 0 and length != data[at]:
        return False
    letters: cython.Py_ssize_t
    price: cython.Py_ssize_t
    if rtype == 160:
        letters, price = at + 38, at + 24
    elif rtype == 0 or rtype == 1 or rtype == 10:
        letters, price = at + 28, at + 16
    else:
        return True
    action: cython.uchar = data[letters]
    side: cython.uchar = data[letters + 1]
    if side != 66 and side != 65 and side != 78:                       # B A N
        return False
    if action == 65 or action == 77 or action == 84 or action == 70:  # A M T F
        return word(data, price) != UNDEFINED_PRICE
    return action == 67 or action == 82 or action == 78               # C R N


@cython.cfunc
@cython.exceptval(check=False)
def copy(
    target: cython.pointer[cython.uchar], end: cython.Py_ssize_t,
    data: cython.pointer[cython.const[cython.uchar]], at: cython.Py_ssize_t, length: cython.Py_ssize_t,
) -> cython.void:
    """Copy bytes; a loop, because a slice of a memoryview costs more than a record."""
    if not cython.compiled:
        target[end:end + length] = data[at:at + length]
        return
    index: cython.Py_ssize_t
    for index in range(length):
        target[end + index] = data[at + index]


@cython.cfunc
@cython.exceptval(check=False)
def kept_id(
    ids: cython.pointer[cython.const[cython.uint]], number: cython.Py_ssize_t, wanted: cython.uint,
) -> cython.bint:
    """Whether an instrument id is among those asked for."""
    index: cython.Py_ssize_t
    for index in range(number):
        if ids[index] == wanted:
            return True
    return False


def record_time(data: cython.const[cython.uchar][::1], at: cython.Py_ssize_t) -> cython.ulonglong:
    """Time of the record at an offset, ns: ts_recv, else ts_event; for a bar its close."""
    return time_of(cython.address(data[0]) if cython.compiled else data, at)


def index_time(data: cython.const[cython.uchar][::1], at: cython.Py_ssize_t) -> cython.ulonglong:
    """Time by which a symbol's mapping of the day holds for the record at an offset, ns."""
    return indexed_at(cython.address(data[0]) if cython.compiled else data, at)


def whole(data: cython.const[cython.uchar][::1], start: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Offset up to which there are whole records; it also stops at an impossible length and at a new DBN header."""
    stop: cython.Py_ssize_t = len(data)
    at: cython.Py_ssize_t = start
    length: cython.Py_ssize_t
    while at < stop:
        length = data[at]
        if length < 4 or at + 4 * length > stop:
            break
        if length == 68 and data[at + 1] == 66 and data[at + 2] == 78:  # "DBN"
            break
        at += 4 * length
    return at


def same(data: cython.const[cython.uchar][::1], start: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """End of the run of records that share rtype and length with the one at ``start``."""
    stop: cython.Py_ssize_t = len(data)
    at: cython.Py_ssize_t = start
    if at >= stop:
        return at
    length: cython.uchar = data[start]
    rtype: cython.uchar = data[start + 1]
    step: cython.Py_ssize_t = 4 * cython.cast(cython.Py_ssize_t, length)
    while at < stop and data[at] == length and data[at + 1] == rtype:
        at += step
    return at


def first_of(
    data: cython.const[cython.uchar][::1], start: cython.Py_ssize_t, wanted: cython.const[cython.uchar][::1],
) -> cython.Py_ssize_t:
    """Offset of the next record whose rtype has a non-zero byte in ``wanted`` (256 bytes); the end if there is none."""
    stop: cython.Py_ssize_t = len(data)
    at: cython.Py_ssize_t = start
    while at < stop and not wanted[data[at + 1]]:
        at += 4 * cython.cast(cython.Py_ssize_t, data[at])
    return at


def first_from(
    data: cython.const[cython.uchar][::1], start: cython.Py_ssize_t, when: cython.ulonglong, indexed: cython.bint,
) -> cython.Py_ssize_t:
    """Offset of the next record at or after a time, ns (by index time or by record time); the end if there is none."""
    base: cython.pointer[cython.const[cython.uchar]]
    base = cython.address(data[0]) if cython.compiled else data
    stop: cython.Py_ssize_t = len(data)
    at: cython.Py_ssize_t = start
    while at < stop and (indexed_at(base, at) if indexed else time_of(base, at)) < when:
        at += 4 * cython.cast(cython.Py_ssize_t, base[at])
    return at


def first_fault(data: cython.const[cython.uchar][::1], start: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Offset of the next record that no stage could use; the end if there is none."""
    base: cython.pointer[cython.const[cython.uchar]]
    base = cython.address(data[0]) if cython.compiled else data
    stop: cython.Py_ssize_t = len(data)
    at: cython.Py_ssize_t = start
    while at < stop and sound(base, at):
        at += 4 * cython.cast(cython.Py_ssize_t, base[at])
    return at


def count(
    data: cython.const[cython.uchar][::1], start: cython.Py_ssize_t, stop: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Number of records between two offsets."""
    at: cython.Py_ssize_t = start
    found: cython.Py_ssize_t = 0
    while at < stop:
        found += 1
        at += 4 * cython.cast(cython.Py_ssize_t, data[at])
    return found


def strip(data: cython.const[cython.uchar][::1], start: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> bytes:
    """The records between two offsets without the eight bytes of ts_out that end each of them."""
    out = bytearray(stop - start)
    view: cython.uchar[::1] = out
    base: cython.pointer[cython.const[cython.uchar]]
    base = cython.address(data[0]) if cython.compiled else data
    target: cython.pointer[cython.uchar] = cython.address(view[0]) if cython.compiled else out
    at: cython.Py_ssize_t = start
    end: cython.Py_ssize_t = 0
    length: cython.Py_ssize_t
    while at < stop:
        length = 4 * cython.cast(cython.Py_ssize_t, base[at])
        copy(target, end, base, at, length - 8)
        target[end] = base[at] - 2
        end += length - 8
        at += length
    return bytes(memoryview(out)[:end])


def select(
    data: cython.const[cython.uchar][::1], wanted: cython.const[cython.uchar][::1],
    ids: cython.const[cython.uint][::1] | None, start_ns: cython.ulonglong, end_ns: cython.ulonglong,
    limit: cython.Py_ssize_t,
) -> tuple[bytes, list[int], int]:
    """Records of the wanted rtypes and ids with start_ns <= time < end_ns, the index that each had, the limit left.

    ``wanted`` has one byte per rtype: 0 leave out, 1 keep, 2 keep whatever its id and time, uncounted. ``ids`` None
    keeps all; a negative limit is none.
    """
    stop: cython.Py_ssize_t = len(data)
    out = bytearray(stop)
    view: cython.uchar[::1] = out
    base: cython.pointer[cython.const[cython.uchar]]
    base = cython.address(data[0]) if cython.compiled else data
    target: cython.pointer[cython.uchar] = cython.address(view[0]) if cython.compiled else out
    number: cython.Py_ssize_t = 0 if ids is None else len(ids)
    wanted_ids: cython.pointer[cython.const[cython.uint]] = cython.NULL
    if number:
        wanted_ids = cython.address(ids[0]) if cython.compiled else ids
    any_id: cython.bint = ids is None
    indices: list[int] = []
    at: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t = 0
    index: cython.Py_ssize_t = 0
    length: cython.Py_ssize_t
    kept: cython.int
    when: cython.ulonglong
    while at < stop and limit != 0:
        length = 4 * cython.cast(cython.Py_ssize_t, base[at])
        kept = wanted[base[at + 1]]
        if kept == 1:
            when = time_of(base, at)
            kept = start_ns <= when < end_ns
            kept = kept and (any_id or kept_id(wanted_ids, number, cython.cast(cython.uint, word(base, at) >> 32)))
            limit -= kept
        if kept:
            copy(target, end, base, at, length)
            indices.append(index)
            end += length
        index += 1
        at += length
    return bytes(memoryview(out)[:end]), indices, limit
