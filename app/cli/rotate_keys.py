"""``rotate-keys``: seal everything under the first key, while the service runs."""

import sys
from argparse import Namespace
from collections.abc import Sequence

from app.cli.command import Command, Environment, Stopped
from app.domain.errors import StoreUnavailable
from app.engine.rotation import Progress
from app.factory import create_key_change
from app.settings import Settings

UNKNOWN = (
    "the running service does not know the first key of SLUICE_ENCRYPTION_KEYS yet, and"
    " could not open what would be sealed under it ({count} of its processes); restart"
    " it with the same setting, then run this again"
)


NOTHING = (
    "nothing is sealed here that opens; are SLUICE_DATA_DIR, DATABASE_URL and"
    " SLUICE_ENCRYPTION_KEYS those of the service?"
)


def _run(_: Namespace, env: Environment) -> int:
    try:
        change = create_key_change(Settings.from_env(env))
    except ValueError as error:
        raise Stopped(str(error)) from error
    try:
        change.store.start()
        if ignorant := change.rotation.ignorant():
            raise Stopped(UNKNOWN.format(count=len(ignorant)))
        done = change.rotation.run(_tell)
    except StoreUnavailable as error:
        raise Stopped(f"{error}; run it again, what is done stays done") from error
    finally:
        change.store.close()
    return _conclude(done)


def _tell(progress: Progress) -> None:
    sys.stdout.write(
        f"{progress.kind}: {progress.seen} seen, {progress.changed} sealed anew\n"
    )
    sys.stdout.flush()


def _conclude(done: Sequence[Progress]) -> int:
    lost = {each.kind: each.lost for each in done if each.lost}
    if any(each.changed or each.left for each in done):
        sys.stdout.write("Not done: the service changes them faster; run it again.\n")
        return 1
    seen = sum(each.seen for each in done) - sum(lost.values())
    if not seen:
        raise Stopped(NOTHING)
    sys.stdout.write(
        f"All {seen} rows that open are sealed under the first key. The other keys can"
        " be removed from SLUICE_ENCRYPTION_KEYS; restart the service afterwards.\n"
    )
    for kind, count in lost.items():
        sys.stdout.write(f"{kind}: {count} open under none of the keys, and stay so.\n")
    return 1 if lost else 0


COMMAND = Command(
    name="rotate-keys",
    help="seal all secrets under the first of SLUICE_ENCRYPTION_KEYS, while the service"
    " runs; afterwards the others can be removed",
    run=_run,
)
