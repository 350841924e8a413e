"""`lru_cache`, and all such caches at hand to be emptied."""

import functools

_caches = []


def cached(size=None):
    def decorate(function):
        wrapped = functools.lru_cache(maxsize=size)(function)
        _caches.append(wrapped)
        return wrapped

    return decorate


def clear_all():
    for each in _caches:
        each.cache_clear()
    return len(_caches)
