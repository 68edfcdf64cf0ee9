"""Options and life cycle of the command, with or without Django."""

import argparse
import signal
import sys
import threading
from datetime import date
from types import FrameType

from .callbacks import Callback
from .gateway import Gateway, Options
from .limits import Limits
from .server import NotLoopback, PortInUse, SandboxHTTPServer
from .tenant import BadState, Tenant
from .tokens import Tokens

DEFAULT_APP_ID, DEFAULT_APP_SECRET = "cli_sandbox", "sandbox-secret"
_LEAST_PEOPLE = 10


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=8801)
    parser.add_argument("--seed", type=int, default=1, help="another seed is another company")
    parser.add_argument("--people", type=_people, default=300, help="onboarded employees")
    parser.add_argument(
        "--today", type=date.fromisoformat, help="the day the seeded dates spread around"
    )
    parser.add_argument(
        "--state", help="a file that keeps the tenant over restarts; else it lives in memory"
    )
    parser.add_argument(
        "--rate-scale", type=float, default=1.0, help="multiplies every published rate limit"
    )
    parser.add_argument("--token-life", type=int, default=7200, help="seconds")
    parser.add_argument("--app-id", default=DEFAULT_APP_ID)
    parser.add_argument("--app-secret", default=DEFAULT_APP_SECRET)
    parser.add_argument("--search-lag", type=float, default=0.0, help="seconds searches run behind")
    parser.add_argument(
        "--callback-url", default="", help="where the buttons of cards are answered"
    )
    parser.add_argument("--encrypt-key", default="", help="of the app's events and callbacks")
    parser.add_argument("--event-token", default="", help="the verification token of the same")
    parser.add_argument("--old-style-429", action="store_true", help="rate limits answer HTTP 400")


def _people(text: str) -> int:
    people = int(text)
    if people < _LEAST_PEOPLE:
        raise argparse.ArgumentTypeError(f"at least {_LEAST_PEOPLE}")
    return people


def make_gateway(
    *,
    seed: int = 1,
    people: int = 300,
    today: date | None = None,
    state: str | None = None,
    rate_scale: float = 1.0,
    token_life: int = 7200,
    app_id: str = DEFAULT_APP_ID,
    app_secret: str = DEFAULT_APP_SECRET,
    search_lag: float = 0.0,
    old_style_429: bool = False,
    callback_url: str = "",
    encrypt_key: str = "",
    event_token: str = "",
) -> Gateway:
    tenant = Tenant(seed=seed, people=people, today=today, state=state)
    tenant.store.search_lag_s = search_lag
    tokens = Tokens(app_id=app_id, app_secret=app_secret, life_s=token_life)
    tenant.limits = Limits(rate_scale)
    tenant.callback = Callback(callback_url, encrypt_key, event_token)
    return Gateway(tenant, tokens, tenant.limits, Options(old_style_429=old_style_429))


def run(options: argparse.Namespace) -> int:
    """Serves until SIGTERM or Ctrl-C; the exit status."""
    try:
        server = SandboxHTTPServer(options.host, options.port)
        server.gateway = _gateway_for(options)
    except (PortInUse, NotLoopback, BadState) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    tenant, stop = server.gateway.tenant, _stop_on_signals()
    sys.stdout.write(
        f"Sandbox Feishu on {server.base_url} ({tenant.people} people, seed {tenant.seed})\n"
    )
    sys.stdout.flush()
    _serve_until(stop, server)
    tenant.close()
    return 0


def _gateway_for(options: argparse.Namespace) -> Gateway:
    return make_gateway(
        seed=options.seed, people=options.people, today=options.today, state=options.state,
        rate_scale=options.rate_scale, token_life=options.token_life, app_id=options.app_id,
        app_secret=options.app_secret, search_lag=options.search_lag, old_style_429=options.old_style_429,
        callback_url=options.callback_url, encrypt_key=options.encrypt_key, event_token=options.event_token,
    )  # fmt: skip


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    return stop


def _serve_until(stop: threading.Event, server: SandboxHTTPServer) -> None:
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
    )
    thread.start()
    stop.wait()
    server.stop()
    thread.join(timeout=5)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="lifecycle.sandbox", description=__doc__)
    add_options(parser)
    return run(parser.parse_args(arguments))
