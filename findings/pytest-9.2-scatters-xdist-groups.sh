#!/usr/bin/env bash
# pytest 9.2.0 and pytest-xdist 3.8.0 (PyPI), Python 3.11: `--dist loadgroup` groups nothing any more, and says nothing
# of it. xdist marks a test's group by writing `item._nodeid`; pytest 9.2 keeps a test's id elsewhere, so that the mark
# is lost and the six tests of one group run on several workers. With pytest 9.1.1 they run on one.
#
# Runs outside of CI, without maedal.
# Seen on 2026-11-27:
#   pytest 9.1.1: 6 tests of one group on 1 worker
#   pytest 9.2.0: 6 tests of one group on 3 workers
# It fails when that changes: then pyproject.toml need not keep pytest below 9.2.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
cat > "$folder/test_group.py" <<'PYTHON'
import time

import pytest


@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(6))
def test_of_one_group(number):
    time.sleep(0.5)
PYTHON
workers_with() {
  "$folder/venv/bin/pip" install -q --disable-pip-version-check "pytest==$1" pytest-xdist==3.8.0
  (cd "$folder" && venv/bin/pytest -v -n 3 --dist loadgroup -p no:cacheprovider test_group.py) |
    sed -n 's/^\[\(gw[0-9]\)\].*PASSED.*/\1/p' > "$folder/seen"
  [ "$(wc -l < "$folder/seen")" = 6 ]
  sort -u "$folder/seen" | wc -l
}
before=$(workers_with 9.1.1)
after=$(workers_with 9.2.0)
echo "pytest 9.1.1: 6 tests of one group on $before worker"
echo "pytest 9.2.0: 6 tests of one group on $after workers"
[ "$before" = 1 ] && [ "$after" -gt 1 ]
