"""Group commit within a process: who asks while others are being answered is answered with the next lot.

No timer is involved. The first caller works at once; those who come meanwhile wait and go together, in one
transaction of one of their threads, so a row that everybody wants is locked once for all of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import OperationalError

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class _Place(Generic[Asked, Answer]):
    """One caller's place in the queue."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.woken = threading.Event()
        self.answers: list[Answer] = []
        self.fault: Exception | None = None

    def result(self) -> Answer:
        """The answer, or the fault that came instead."""
        if self.fault is not None:
            raise self.fault
        return self.answers[0]


class Gathering(Generic[Asked, Answer]):
    """Callers of `ask` are served by `work`, up to `most` of them at once; `work` commits before it answers,
    one answer for each, in order.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], Sequence[Answer]], *, most: int) -> None:
        self._work = work
        self._most = most
        self._lock = threading.Lock()
        self._waiting: list[_Place[Asked, Answer]] = []
        self._is_busy = False

    def ask(self, asked: Asked) -> Answer:
        """This caller's answer; raises what `work` raises for it."""
        place: _Place[Asked, Answer] = _Place(asked)
        with self._lock:
            self._waiting.append(place)
            leads = not self._is_busy
            self._is_busy = True
        if not leads:
            place.woken.wait()
        if not (place.answers or place.fault):
            self._lead()
        return place.result()

    def _lead(self) -> None:
        """Serve the first of the queue, the caller among them, then hand over to the next one waiting."""
        with self._lock:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            self._serve(batch)
        finally:
            with self._lock:
                heir = self._waiting[0] if self._waiting else None
                self._is_busy = heir is not None
            for place in batch:
                if not (place.answers or place.fault):
                    place.fault = OperationalError("the thread that worked for this caller was ended")
                place.woken.set()
            if heir is not None:
                heir.woken.set()

    def _serve(self, batch: Sequence[_Place[Asked, Answer]]) -> None:
        try:
            answers = self._work([place.asked for place in batch])
        except Exception as fault:
            if len(batch) > 1 and not isinstance(fault, OperationalError):
                for place in batch:  # one bad caller fails alone
                    self._serve([place])
                return
            for place in batch:
                place.fault = fault
            return
        for place, answer in zip(batch, answers, strict=True):
            place.answers.append(answer)
