"""What the store's work costs with much history, in relation to hardly any.

``python -m bench.growth`` fills stores with 100,000 and 1,000,000 executions of 10,000
workflows beside one with as few as fill each page, and one with few workflows, too. It
asks each for the same, one after the other, round by round. Takes some minutes; the
figures go into `build/bench` and `docs/performance.md`.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median

from app.domain import times
from app.domain.dedupe import key_of_id
from app.domain.execution import Execution, Segment, Status, Trigger
from app.store.protocol import ExecutionFilter
from bench import event, report
from bench.filling import Filled, filled
from bench.rates import Spread
from bench.run import machine
from bench.servers import ROOT
from tests.store.company import payload, step

FEW = 6_000  # executions: as few as fill every page
SMALL, BASE = (FEW, 10), (FEW, 10_000)  # executions, workflows
LARGE = ((100_000, 10_000), (1_000_000, 10_000))
ROUNDS = 7
TIMES = 60  # of each question, in each round
PAGE = 50
BEGIN = "<!-- growth: made by `make bench-growth` -->"
END = "<!-- end of growth -->"
WEEK = timedelta(days=7)

Work = Callable[[], object]
Size = tuple[int, int]
Figures = dict[str, dict[Size, list[float]]]  # by work and size, ms of each round


def pages(one: Filled) -> Mapping[str, ExecutionFilter]:
    """Name everything that is shown, a full page of each."""
    now, workflow = times.now(), one.company.workflow.id
    return {
        "page of executions": ExecutionFilter(),
        "of a workflow": ExecutionFilter(workflow_id=workflow),
        "of those that succeeded": ExecutionFilter(status=Status.SUCCESS),
        "of those that failed": ExecutionFilter(status=Status.FAILED),
        "of those of a workflow that failed": ExecutionFilter(
            workflow_id=workflow, status=Status.FAILED
        ),
        "of those that wait": ExecutionFilter(status=Status.WAITING),
        "of one in a hundred, by trigger": ExecutionFilter(trigger=Trigger.MANUAL),
        "since an hour ago": ExecutionFilter(since=now - timedelta(hours=1)),
        "until a week ago": ExecutionFilter(until=now - WEEK),
        "of a search: beginning of an id": ExecutionFilter(q=one.middle[:10]),
        "of a search: key": ExecutionFilter(q="customer-7"),
        "of a search: error": ExecutionFilter(q="http-status"),
        "of a search: name": ExecutionFilter(q="order al"),
        "of a search: name, until a week ago": ExecutionFilter(
            q="order al", until=now - WEEK
        ),
        "of a search: part of many names": ExecutionFilter(q="workflow 1"),
    }


def works(one: Filled) -> Iterator[tuple[str, Work]]:
    """Name everything that a store is asked for."""
    now = times.now()
    for name, wanted in pages(one).items():
        yield name, partial(_page, one, wanted, None)
    yield "page in the middle", partial(_page, one, ExecutionFilter(), one.middle)
    whole, recent = one.middle, now - timedelta(minutes=1)
    yield "one by its id", partial(_page, one, ExecutionFilter(q=whole), None)
    yield (
        "since a minute ago",
        partial(_page, one, ExecutionFilter(since=recent), None),
    )
    yield "claim of ten", Claim(one)
    yield "look for what dead processes left", partial(_recover, one)
    yield "what each second asks", partial(_beat, one)
    yield "sweep of keys", partial(one.store.dedupe.sweep, now - WEEK, limit=500)
    yield "accept", partial(_accept, one)
    yield "accept, execute, record", partial(_execute, one)


class Claim:
    """Takes owed work; what was taken before is given back first."""

    def __init__(self, one: Filled) -> None:
        self._executions = one.company.executions

    def before(self) -> None:
        """Give back, outside of what is measured."""
        self._executions.release("bench")

    def __call__(self) -> object:
        return self._executions.claim("bench", limit=10)


def _page(
    one: Filled, wanted: ExecutionFilter, before: str | None
) -> Sequence[Execution]:
    company = one.company
    return company.executions.list(company.id, wanted, limit=PAGE, before=before)


def _recover(one: Filled) -> object:
    executions = one.company.executions
    return executions.take_over("nobody"), executions.disown()


def _beat(one: Filled) -> object:
    executions = one.company.executions
    return (
        executions.queued("bench", limit=10_000),
        executions.cancel_requested("bench"),
        executions.wake(times.now(), limit=100),
        executions.next_wake(),
    )


def _accept(one: Filled) -> Execution:
    held = one.company.execution(created_at=times.now(), owner="bench-accept")
    what = payload(body=event.BODY)
    key = key_of_id(held.id)
    one.company.executions.add(held, what, dedupe=key).result(30)
    return held


def _execute(one: Filled) -> object:
    executions, held, now = one.company.executions, _accept(one), times.now()
    executions.start(held, at=now)
    executions.record(held, [step("first")])
    return executions.finish(
        held,
        [step("second", 1)],
        status=Status.SUCCESS,
        error=None,
        segments=[Segment(now, now)],
        at=now,
    ).result(30)


def require_full(one: Filled) -> None:
    """See to it that as much is shown, whatever the store."""
    for name, wanted in pages(one).items():
        shown = len(_page(one, wanted, None))
        if shown != PAGE:
            raise SystemExit(f"{name}: a page of {shown}, not {PAGE}")


def measure(stores: Mapping[Size, Filled]) -> Figures:
    """Ask every store for everything, in turns."""
    asked = {size: dict(works(one)) for size, one in stores.items()}
    found: Figures = {name: {size: [] for size in stores} for name in asked[BASE]}
    for number in range(ROUNDS + 1):
        for name, told in found.items():
            for size in stores:
                took = _median(asked[size][name])
                if number:  # the first round warms
                    told[size].append(took)
    return found


def _median(work: Work) -> float:
    """Do it many times; milliseconds of the one in the middle.

    Of processor time, all threads together: it hardly drifts when others work, too.
    """
    took = []
    for _ in range(TIMES):
        if isinstance(work, Claim):
            work.before()
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return median(took) * 1000


def table(found: Figures, told: Mapping[str, str]) -> str:
    """Write the figures as Markdown."""
    head = (
        f"Measured {told['day']} on {told['cores']} cores, Python {told['python']},"
        f" SQLite {told['sqlite']}; load average at the start {told['busy']}. Median of"
        f" {ROUNDS} rounds with their range: milliseconds of processor time with"
        f" {FEW:,} executions of {SMALL[1]} workflows; in relation to that, with as"
        f" many of {BASE[1]:,} workflows; in relation to these, with more executions"
        f" of as many workflows."
    )
    columns = " | ".join(f"{size:,} executions, x" for size, _ in LARGE)
    lines = [
        head,
        "",
        f"| | ms | {BASE[1]:,} workflows, x | {columns} |",
        f"|{' --- |' * (3 + len(LARGE))}",
    ]
    for name, by_size in found.items():
        base = by_size[BASE]
        ratios = [_ratio(base, by_size[SMALL])]
        ratios += [_ratio(by_size[size], base) for size in LARGE]
        small = median(by_size[SMALL])
        lines.append(f"| {name} | {small:.2f} | {' | '.join(map(_told, ratios))} |")
    return "\n".join(lines)


def _ratio(times_: list[float], base: list[float]) -> Spread:
    return Spread.of(a / b for a, b in zip(times_, base, strict=True))


def _told(spread: Spread) -> str:
    return f"{spread.middle:.2f} ({spread.low:.2f}-{spread.high:.2f})"


def main() -> int:
    """Fill, measure, write down."""
    told = machine()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="growth-")))
        stores = {}
        for executions, workflows in (SMALL, BASE, *LARGE):
            began = time.monotonic()
            path = str(home / f"{executions}-{workflows}.db")
            one = filled(path, executions=executions, workflows=workflows)
            stack.callback(one.store.close)
            require_full(one)
            stores[executions, workflows] = one
            print(f"{executions:,} executions in {time.monotonic() - began:.0f} s")
        found = measure(stores)
    folder = ROOT / "build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    by_name = {
        name: {f"{executions} of {workflows}": ms for (executions, workflows), ms in by}
        for name, by in ((name, each.items()) for name, each in found.items())
    }
    kept = {"machine": told, "milliseconds": by_name}
    (folder / "growth.json").write_text(json.dumps(kept, indent=1) + "\n")
    text = table(found, told)
    report.write(ROOT / "docs" / "performance.md", text, marks=(BEGIN, END))
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
