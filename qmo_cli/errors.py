"""Every failure the suite can report; each knows its exit code, and only the command line exits."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit status of every command (the numbers above 63 are those of sysexits.h)."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    BAD_DATA = 65
    UNAVAILABLE = 69
    NOT_ENTITLED = 77
    CONFIGURATION = 78
    INTERRUPTED = 130


class QmoError(Exception):
    """A failure that a person can act on: the message says what, where and what to do."""

    exit_code = ExitCode.FAILURE


class UsageError(QmoError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = ExitCode.USAGE


class BadData(QmoError):
    """The input is damaged or is not what this stage reads."""

    exit_code = ExitCode.BAD_DATA


class SourceUnavailable(QmoError):
    """A file, stream or service could not be opened."""

    exit_code = ExitCode.UNAVAILABLE


class NotEntitled(QmoError):
    """A key is missing, wrong, or does not cover the data asked for."""

    exit_code = ExitCode.NOT_ENTITLED


class ConfigurationError(QmoError):
    """A configuration file or parameter is wrong."""

    exit_code = ExitCode.CONFIGURATION
