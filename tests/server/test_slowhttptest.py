"""What a well-known tool for slow attacks says of the server."""

import re
import shutil
import subprocess

import pytest

TOOL = shutil.which("slowhttptest")
pytestmark = [
    pytest.mark.system,
    pytest.mark.alone,
    pytest.mark.skipif(TOOL is None, reason="slowhttptest is not installed"),
]

ATTACKS = {
    "headers, a line a second": ["-H", "-i", "1"],
    "headers, a line in ten seconds": ["-H", "-i", "10"],
    "bodies": ["-B", "-i", "1", "-s", "8192"],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_slow_attack_outlives_its_time_or_denies_service(
    serve, attack, record_property
):
    server = serve()
    url = f"http://127.0.0.1:{server.port}/"
    crowd = ["-c", "200", "-r", "200", "-l", "30", "-p", "3", "-u", url]

    done = subprocess.run(
        [str(TOOL), *ATTACKS[attack], *crowd],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    told = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    available = re.findall(r"service available:\s+(\w+)", told)
    second = re.search(r"Test ended on (\d+)th second", told)
    assert available, told
    assert set(available) == {"YES"}
    assert "No open connections left" in told
    assert second is not None
    assert 15 <= int(second[1]) <= 17
    record_property(f"slowhttptest, {attack}", f"ended in second {second[1]}")
