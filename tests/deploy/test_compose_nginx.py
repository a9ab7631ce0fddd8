"""What the compose file's nginx has in other words than the shipped configuration."""

import difflib
from collections import Counter
from pathlib import Path

from tests.deploy.adapting import adapted
from tests.system.nginx import NAME, SHIPPED


def test_it_changes_the_name_the_servers_the_logs_and_who_is_next_and_nothing_else(
    tmp_path: Path,
):
    shipped = SHIPPED.read_text().replace(NAME, "hooks.example.org")
    ours = adapted(tmp_path, "10.0.0.1:8000", "10.0.0.2:8000", name="hooks.example.org")

    changed = [
        line.removeprefix("+").strip()
        for line in difflib.ndiff(shipped.splitlines(), ours.splitlines())
        if line.startswith("+")
    ]

    assert Counter(changed) == {
        "zone sluice_servers 64k;": 1,
        "server 10.0.0.1:8000 max_fails=1 fail_timeout=2s;": 1,
        "server 10.0.0.2:8000 max_fails=1 fail_timeout=2s;": 1,
        "access_log /dev/stdout sluice;": 2,
        "error_log /dev/stderr crit;": 3,
        "proxy_next_upstream error;": 1,
    }
