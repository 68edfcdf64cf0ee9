"""A sandbox in a background thread, for tests: one per run, reset between tests."""

import threading
from datetime import date
from typing import Any, Self

from .cli import make_gateway
from .control import SandboxControl
from .server import SandboxHTTPServer


class SandboxServer:
    """`with SandboxServer().start(people=40) as sandbox: sandbox.base_url`."""

    def __init__(self) -> None:
        self._server: SandboxHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self.base_url = ""
        self.control = SandboxControl("")

    def start(
        self,
        *,
        people: int = 40,
        seed: int = 1,
        today: date | None = None,
        rate_scale: float = 1000,
        port: int = 0,
        **options: Any,
    ) -> Self:
        self._server = SandboxHTTPServer("127.0.0.1", port)
        self._server.gateway = make_gateway(
            people=people, seed=seed, today=today, rate_scale=rate_scale, **options
        )
        self.base_url = self._server.base_url
        self.control = SandboxControl(self.base_url)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._server is None or self._thread is None:
            return
        self._server.stop()
        self._thread.join(timeout=5)
        self._server.gateway.tenant.close()
        self._server = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
