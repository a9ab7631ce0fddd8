"""A real Prometheus that scrapes a server every second."""

import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import yaml

from tests.deploy.prometheus import CONFIG, FOLDER
from tests.system.client import send
from tests.system.serving import free_port
from tests.system.waiting import eventually


class Prometheus:
    """Debian's, with the shipped configuration and other places and times."""

    def __init__(self, home: Path, *, target: str, token: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self._home = home
        config: Any = json.loads(json.dumps(CONFIG))
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        del config["alerting"]
        [job] = config["scrape_configs"]
        job["static_configs"] = [{"targets": [target]}]
        (home / "prometheus.yml").write_text(yaml.safe_dump(config))
        (home / "sluice.token").write_text(token)
        shutil.copy(FOLDER / "rules.yml", home)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        program = shutil.which("prometheus")
        assert program, "prometheus is missing: apt install prometheus"
        address = self.url.removeprefix("http://")
        with (self._home / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    f"--config.file={self._home}/prometheus.yml",
                    f"--storage.tsdb.path={self._home}/tsdb",
                    f"--web.listen-address={address}",
                ],
                stdout=log,
                stderr=log,
            )
        eventually(self._ready, within=30, what="Prometheus is ready")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process
        self._process.terminate()
        self._process.wait(20)

    def ask(self, path: str, **query: str) -> Any:
        """Call the API and return its data."""
        answer = send("GET", f"{self.url}/api/v1/{path}?{urlencode(query)}")
        assert answer.status == 200, answer.body
        return answer.json["data"]

    def values(self, query: str, *, seconds: float) -> list[Mapping[str, Any]]:
        """Return what a panel would draw of the last so many seconds."""
        now = time.time()
        asked = {"query": query, "start": f"{now - seconds}", "end": f"{now}"}
        series: list[Mapping[str, Any]] = self.ask("query_range", **asked, step="1")[
            "result"
        ]
        return series

    def _ready(self) -> bool:
        try:
            return send("GET", f"{self.url}/-/ready", timeout=5).status == 200
        except OSError:
            return False
