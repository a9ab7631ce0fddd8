"""Ask the server of this machine whether it takes events; exit code 0 says yes."""  # noqa: INP001  a program, no package

import http.client
import os
import sys
from collections.abc import Mapping

ANYWHERE = ("", "0.0.0.0", "::", "[::]")  # noqa: S104  compared with, not bound to
OK = 200


def ask(env: Mapping[str, str], *, timeout: float = 4.0) -> str | None:
    """Return what is wrong, or None.

    Args:
        env: names the port, the address and the trusted hosts, as for the server.
        timeout: seconds.
    """
    host = env.get("SLUICE_BIND", "")
    address = "127.0.0.1" if host in ANYWHERE else host.strip("[]")
    trusted = env.get("SLUICE_TRUSTED_HOSTS", "").split(",")[0].strip().lstrip(".")
    connection = http.client.HTTPConnection(
        address, int(env.get("PORT") or 8000), timeout=timeout
    )
    try:
        headers = {"Host": trusted or "localhost"}
        connection.request("GET", "/health/ready", headers=headers)
        answer = connection.getresponse()
        text = answer.read(2048).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return f"no answer: {error}"
    finally:
        connection.close()
    return None if answer.status == OK else f"{answer.status}: {text}"


if __name__ == "__main__":
    if wrong := ask(os.environ):
        sys.exit(wrong)
