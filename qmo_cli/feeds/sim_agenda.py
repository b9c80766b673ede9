# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""What the simulated traders mean to do later: tasks by the time they are due."""

from __future__ import annotations

from typing import Any

import cython

from .sim_book import RestingOrder

NEVER = cython.declare(cython.longlong, 2**62)


@cython.cclass
class Task:
    """One thing to be done; which of the fields mean something depends on ``what``."""

    def __init__(self) -> None:
        self.due = 0          # ns
        self.number = 0       # of two that are due at once, the older one comes first
        self.what = 0
        self.order: RestingOrder | None = None
        self.order_id = 0     # the order's when the task was noted: later the memory may be another order's
        self.plan: Any = None
        self.side = 0
        self.tick = 0
        self.lots = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def stands(self) -> cython.bint:
        """Whether the order it is about still rests."""
        return self.order is not None and self.order.place >= 0 and self.order.order_id == self.order_id

    @cython.cfunc
    @cython.exceptval(check=False)
    def before(self, other: Task) -> cython.bint:
        """Whether it comes first."""
        return self.due < other.due or (self.due == other.due and self.number < other.number)


@cython.cclass
class Agenda:
    """A binary heap of tasks, the next one on top."""

    def __init__(self) -> None:
        self.heap: list[Task] = []
        self.spare: list[Task] = []
        self.due = NEVER      # when the next task is due
        self.noted = 0

    @cython.cfunc
    def note(self, due: cython.longlong, what: cython.longlong, order: RestingOrder, plan: object) -> Task:
        """Note a task; the caller fills in the fields it needs besides, before anything else happens."""
        task: Task = self.spare.pop() if self.spare else Task()
        self.noted += 1
        task.due, task.number, task.what = due, self.noted, what
        task.order, task.plan = order, plan
        task.side = task.tick = task.lots = 0
        task.order_id = 0 if order is None else order.order_id
        self.heap.append(task)
        self.rise(len(self.heap) - 1)
        self.due = cython.cast(Task, self.heap[0]).due
        return task

    @cython.cfunc
    def next(self) -> Task:
        """Take the next task off; ``recycle`` it when it is done."""
        task: Task = self.heap[0]
        last: Task = self.heap.pop()
        if last is not task:
            self.heap[0] = last
            self.sink()
        self.due = cython.cast(Task, self.heap[0]).due if self.heap else NEVER
        return task

    @cython.cfunc
    def recycle(self, task: Task) -> object:
        """Keep a task's memory for the next one."""
        task.order = None
        task.plan = None
        self.spare.append(task)
        return None

    @cython.cfunc
    def rise(self, place: cython.Py_ssize_t) -> object:
        """Move a task up to where no later one is above it."""
        task: Task = self.heap[place]
        while place > 0:
            above: cython.Py_ssize_t = (place - 1) >> 1
            other: Task = self.heap[above]
            if other.before(task):
                break
            self.heap[place] = other
            place = above
        self.heap[place] = task
        return None

    @cython.cfunc
    def sink(self) -> object:
        """Move the top task down to where no earlier one is below it."""
        task: Task = self.heap[0]
        count: cython.Py_ssize_t = len(self.heap)
        place: cython.Py_ssize_t = 0
        below: cython.Py_ssize_t = 1
        while below < count:
            first: Task = self.heap[below]
            if below + 1 < count:
                second: Task = self.heap[below + 1]
                if second.before(first):
                    first = second
                    below += 1
            if task.before(first):
                break
            self.heap[place] = first
            place = below
            below = 2 * place + 1
        self.heap[place] = task
        return None
