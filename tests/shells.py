"""Real shells at a terminal of their own: keys are typed, and what the line has become is read back."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE = 20.0                     # s for one answer
START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}
READY = {
    "bash": "bind 'set completion-query-items 0'; bind 'set page-completions off'; bind 'set bell-style none'; "
            "bind 'set show-all-if-ambiguous on'; source {script}",
    "zsh": "unsetopt zle_bracketed_paste list_ambiguous; bindkey -e; PROMPT='$ '; LISTMAX=0; "
           "autoload -Uz compinit; fpath=({folder} $fpath); compinit -u -D",
}
START_OF_LINE, END_OF_LINE = "\x01", "\x05"
SCREEN = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[=>]|\r")


@dataclass
class Shell:
    """An interactive shell that knows the completions of qmo."""

    kind: str
    folder: Path                    # of the completion scripts
    cwd: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] = field(init=False)
    terminal: int = field(init=False)
    asked: int = 0

    def __enter__(self) -> Self:
        self.terminal, inner = pty.openpty()
        environment = {**self.environment, "TERM": "dumb" if self.kind == "bash" else "vt100", "COLUMNS": "200",
                       "PS1": "$ ", "HISTFILE": "", "HOME": str(self.cwd)}
        self.process = subprocess.Popen(
            START[self.kind], stdin=inner, stdout=inner, stderr=inner, cwd=self.cwd, env=environment,
            start_new_session=True, close_fds=True)
        os.close(inner)
        script = self.folder / {"bash": "qmo", "zsh": "_qmo"}[self.kind]
        self.type(READY[self.kind].format(script=script, folder=self.folder) + "; stty -echo; echo rea''dy\r")
        self.read_until(r"ready\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        os.close(self.terminal)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.terminal, keys.encode())

    def read_until(self, pattern: str) -> str:
        """What is on the screen once the pattern is there. Fails when it does not come."""
        text, limit = "", time.monotonic() + PATIENCE
        while not re.search(pattern, text):
            left = limit - time.monotonic()
            assert left > 0, f"{self.kind} showed {text!r}, not {pattern!r}"
            if select.select([self.terminal], [], [], left)[0]:
                text += SCREEN.sub("", os.read(self.terminal, 65536).decode(errors="replace"))
        return text

    def complete(self, line: str) -> tuple[str, str]:
        """What a line becomes when TAB is pressed at its end, and all that was shown meanwhile."""
        self.asked += 1
        mark = f"answer{self.asked}"
        self.type(f"{line}\t")
        self.type(f"{START_OF_LINE}printf '<%s>{mark}\\n' '{END_OF_LINE}'\r")
        shown = self.read_until(rf">{mark}\n")
        found = re.search(rf"<([^<]*)>{mark}\n", shown)
        assert found, shown
        return found[1], shown
