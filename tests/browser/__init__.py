import pytest

# Its assertions are read by people too.
pytest.register_assert_rewrite("tests.browser.people")
