#!/usr/bin/env bash
# CPython 3.11: `raise REFUSED`, where REFUSED is one exception made beforehand, does not begin a new traceback. What this
# raise passes through is added to what earlier ones passed through, and every frame in it keeps its local values. So a
# constant that is raised and caught once a request keeps all requests, for as long as the process runs, although nobody
# holds on to one. A new exception each time, or `raise REFUSED.with_traceback(None)`, keeps none.
#
# Runs outside of CI, without maedal; the standard library alone.
# Seen on 2026-11-28 (requests that are alive after 1,000 were refused, and entries of the traceback):
#   one exception for all:       1000 alive, 2000 entries
#   the same without traceback:     1 alive, 2 entries
#   a new one each time:            0 alive
# It fails when that changes: then refusals in src/maedal/rest may be constants.
set -euo pipefail
python3 - <<'PYTHON'
import gc
import platform
import weakref


class Request:
    pass


class Refused(Exception):
    pass


REFUSED = Refused()


def refuse(request, how):
    raise how()


def alive_after(how):
    alive = weakref.WeakSet()
    for _ in range(1_000):
        request = Request()
        alive.add(request)
        try:
            refuse(request, how)
        except Refused:
            pass
    del request
    gc.collect()
    return len(alive)


def entries():
    count, traceback = 0, REFUSED.__traceback__
    while traceback is not None:
        count, traceback = count + 1, traceback.tb_next
    return count


print(platform.python_version())
kept = alive_after(lambda: REFUSED), entries()
print(f"one exception for all: {kept[0]} alive, {kept[1]} entries")
REFUSED.__traceback__ = None
cleared = alive_after(lambda: REFUSED.with_traceback(None)), entries()
print(f"the same without traceback: {cleared[0]} alive, {cleared[1]} entries")
anew = alive_after(Refused)
print(f"a new one each time: {anew} alive")
assert (kept, cleared, anew) == ((1_000, 2_000), (1, 2), 0), (kept, cleared, anew)
PYTHON
