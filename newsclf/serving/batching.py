"""Requests that wait at the same time are computed in one batch."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Compute = Callable[[list[str]], np.ndarray]
MAX_ROWS = 256  # of requests that are put together; a larger one goes alone


@dataclass
class _Call:
    texts: Sequence[str]
    result: np.ndarray | None = None
    error: BaseException | None = None

    @property
    def answered(self) -> bool:
        return self.result is not None or self.error is not None


class DynamicBatcher:
    """`compute` for many threads: one computes, for itself and for all that wait; nobody waits for company.

    compute: texts to an array whose first axis is theirs. Who asks alone is computed at once. Where a batch fails,
    each of its requests is computed by itself: an error is raised in the thread whose texts are its reason.
    """

    def __init__(self, compute: Compute) -> None:
        self._compute = compute
        self._waiting: deque[_Call] = deque()
        self._turn = threading.Lock()

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        call = _Call(texts)
        self._waiting.append(call)
        while not call.answered:
            with self._turn:
                if not call.answered:
                    self._answer(self._next())
        if call.error is not None:
            raise call.error
        assert call.result is not None
        return call.result

    def _next(self) -> list[_Call]:
        """Those that wait, oldest first, at least one and at most MAX_ROWS in all."""
        calls = [self._waiting.popleft()]
        rows = len(calls[0].texts)
        while self._waiting and rows + len(self._waiting[0].texts) <= MAX_ROWS:
            calls.append(self._waiting.popleft())
            rows += len(calls[-1].texts)
        return calls

    def _answer(self, calls: list[_Call]) -> None:
        try:
            results = self._compute([text for call in calls for text in call.texts])
        except BaseException as error:
            if len(calls) == 1:
                calls[0].error = error
                return
            for call in calls:
                self._answer([call])
            return
        start = 0
        for call in calls:
            call.result = results[start : start + len(call.texts)]
            start += len(call.texts)
