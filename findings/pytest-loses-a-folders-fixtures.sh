#!/usr/bin/env bash
# pytest (PyPI), Python 3.11: a file's fixtures depend on the files that are named before it. Two test files below one
# package share a fixture of its conftest.py. Named one after the other they pass; with a file of the folder above
# named between them, the second one is told "fixture 'thing' not found", and nothing was changed in it.
#
# Runs outside of CI, without maedal.
# Seen on 2026-11-28 (tests that passed, in order / with the file above between):
#   pytest 9.0.2: 3 passed / 3 passed
#   pytest 9.1.1: 3 passed / 2 passed, 1 error
#   pytest 9.2.0: 3 passed / 3 passed
# It is known to pytest's own tracker. It matters here because pytest stays below 9.2 (see the finding about groups): name
# folders, or files in the order of their folders. It fails when that changes.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
mkdir -p "$folder/tests/a/one" "$folder/tests/a/two"
touch "$folder"/tests/{,a/,a/one/,a/two/}__init__.py
printf 'import pytest\n\n\n@pytest.fixture\ndef thing():\n    return 1\n' > "$folder/tests/a/conftest.py"
printf 'def test_one(thing):\n    assert thing == 1\n' > "$folder/tests/a/one/test_one.py"
printf 'def test_two(thing):\n    assert thing == 1\n' > "$folder/tests/a/two/test_two.py"
printf 'def test_above():\n    pass\n' > "$folder/tests/test_above.py"
said() { # what pytest says of these files
  (cd "$folder" && venv/bin/python -m pytest -q -p no:cacheprovider "$@" || true) | tail -n 1 | sed 's/ in .*//'
}
one=tests/a/one/test_one.py two=tests/a/two/test_two.py above=tests/test_above.py
seen=""
for version in 9.0.2 9.1.1 9.2.0; do
  "$folder/venv/bin/pip" install -q --disable-pip-version-check "pytest==$version"
  seen+="pytest $version: $(said $one $two $above) / $(said $one $above $two)"$'\n'
done
printf %s "$seen"
[ "$seen" = 'pytest 9.0.2: 3 passed / 3 passed
pytest 9.1.1: 3 passed / 2 passed, 1 error
pytest 9.2.0: 3 passed / 3 passed
' ]
