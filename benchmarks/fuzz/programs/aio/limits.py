"""How many at a time, and how often."""

import asyncio
from functools import wraps


class Limiter:
    def __init__(self, size):
        self._semaphore = asyncio.Semaphore(size)
        self.active = 0

    async def __aenter__(self):
        await self._semaphore.acquire()
        self.active += 1
        return self

    async def __aexit__(self, *error):
        self.active -= 1
        self._semaphore.release()


def traced(function):
    @wraps(function)
    async def inner(*args, **kwargs):
        inner.calls += 1
        return await function(*args, **kwargs)

    inner.calls = 0
    return inner


async def retried(function, *args, times=3):
    for attempt in range(1, times + 1):
        try:
            return await function(*args)
        except RuntimeError:
            if attempt == times:
                raise
            await asyncio.sleep(0)
    return None
