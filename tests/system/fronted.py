"""A server that its clients reach through nginx, where they would reach it alone."""

from contextlib import ExitStack
from pathlib import Path

from tests.system import nginx
from tests.system.serving import Server, free_port


class FrontedServer(Server):
    """As `Server`, with the shipped nginx at its address, but for TLS."""

    def __init__(self, home: Path, **settings: str) -> None:
        back = free_port()
        given = {"PORT": str(back), "SLUICE_PROXY_HOPS": "1", **settings}
        super().__init__(home, **given)
        self._env.setdefault("SLUICE_PUBLIC_URL", f"http://localhost:{self.port}")
        self._front, self._back = ExitStack(), back

    def start(self, *, within: float = 20.0) -> float:
        """Start nginx before the first start of the server; it stays."""
        folder = self.home / "nginx"
        if not folder.exists():
            folder.mkdir()
            text = nginx.plain(folder, upstream=self._back, port=self.port)
            self._front.enter_context(nginx.process(folder, text, port=self.port))
        return super().start(within=within)

    def close(self) -> None:
        super().close()
        self._front.close()
