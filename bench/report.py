"""Figures as a page: tables in Markdown, and a plot."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from bench.goals import Goal, Spreads, goals
from bench.rates import BASE, Rates, Spread

BEGIN, END = "<!-- figures: made by `make bench` -->", "<!-- end of figures -->"
ROW, BAR, LEFT, WIDTH = 20, 14, 230, 640  # pixels
COLOURS = ("#4c78a8", "#72b7b2", "#f58518", "#e45756", "#54a24b", "#b279a2", "#9d755d")
COLUMNS = (
    "accepted/s",
    "x",
    "finished/s",
    "refused/s",
    "p50 ms",
    "p99 ms",
    "CPU µs",
    "switches",
)
Figures = Mapping[str, float]
LARGE = 1000  # from here on nobody reads decimals
SINGLE = (
    ("generator_per_second", "load generator against a static answer", "/s"),
    ("commits_per_second", "SQLite group commit alone, 16 threads", "/s"),
    ("start_s", "start to first answer", "s"),
    ("low_p50_ms", "answer at low load, p50", "ms"),
    ("low_p99_ms", "answer at low load, p99", "ms"),
    ("queue_to_start_p50_ms", "queue to start at low load, p50", "ms"),
    ("half_rate", "half of the saturated rate", "/s"),
    ("half_p50_ms", "answer at half rate, p50", "ms"),
    ("half_p99_ms", "answer at half rate, p99", "ms"),
    ("stuck_idle_p99_ms", "answer at low load, p99, before 110 are stuck", "ms"),
    ("stuck_p99_ms", "answer while 110 executions are stuck, p99", "ms"),
    ("stuck_p99_ratio", "the latter in relation to the former", "x"),
    ("refusals_per_second", "refusals while full, 16 connections", "/s"),
    ("refusals_ratio", "the same in relation to accepting", "x"),
    ("computing_idle_p99_ms", "answer at low load, p99, before ten compute", "ms"),
    ("computing_p50_ms", "answer while ten executions compute, p50", "ms"),
    ("computing_p99_ms", "the same, p99", "ms"),
    ("computing_p99_ratio", "the latter in relation to before", "x"),
    ("memory_idle_mib", "memory, idle", "MiB"),
    ("stuck_memory_mib", "memory with 110 in flight", "MiB"),
    ("memory_after_mib", "memory at the end", "MiB"),
    ("memory_after_executions", "executions by then", ""),
)


def tables(
    machine: Mapping[str, str],
    rates: Rates,
    figures: Spreads,
    bodies: Mapping[str, Figures],
) -> str:
    """Write everything as Markdown."""
    head = (
        f"Measured {machine['day']} on {machine['cores']} cores, {machine['system']},"
        f" Python {machine['python']}, SQLite {machine['sqlite']}; load average at the"
        f" start {machine['busy']}. Medians with ranges; x: in relation to what bare"
        " Flask accepted in the same round."
    )
    judged = _table(
        ("what", "found", "goal", ""),
        (
            (each.what, f"{_brief(each.found)} {each.unit}", _bound(each), _met(each))
            for each in goals(rates, figures)
        ),
    )
    single = _table(
        ("figure", ""),
        (
            (what, f"{_brief(figures[key])} {unit}")
            for key, what, unit in SINGLE
            if key in figures
        ),
    )
    sized = _table(
        ("body", "accepted/s, 16 connections", "x"),
        (
            (name, f"{told['accepted']:,.0f}", f"{told['ratio']:.2f}")
            for name, told in bodies.items()
        ),
    )
    plotted = "![rates](performance.svg)"
    return "\n\n".join([head, judged, plotted, *_grids(rates), single, sized])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(each)} |" for each in lines)


def _brief(spread: Spread) -> str:
    """Write three digits that count."""
    told = [
        f"{each:,.0f}" if each >= LARGE else f"{each:.3g}"
        for each in (spread.middle, spread.low, spread.high)
    ]
    return told[0] if told[1] == told[2] else f"{told[0]} ({told[1]}-{told[2]})"


def _bound(goal: Goal) -> str:
    return f"{'at least' if goal.at_least else 'at most'} {goal.bound:g} {goal.unit}"


def _met(goal: Goal) -> str:
    return "met" if goal.is_met else "**missed**"


def _grids(rates: Rates) -> Iterator[str]:
    for size in rates.sizes:
        names = (f"{size} connection{'s' if size > 1 else ''}", *COLUMNS)
        yield _table(names, (_line(rates, each, size) for each in rates.names_at(size)))


def _line(rates: Rates, name: str, size: int) -> Sequence[str]:
    def said(figure: str, digits: int = 0) -> str:
        return _told(rates.spread(name, size, figure), digits)

    own = name.startswith("Sluice")
    return (
        name,
        said("accepted"),
        _told(rates.ratio(name, size), 2),
        said("finished") if own else "",
        said("refused") if own else "",
        said("p50", 1),
        said("p99", 1),
        said("cpu"),
        said("switches", 1),
    )


def _told(spread: Spread, digits: int) -> str:
    middle, low, high = (
        f"{each:,.{digits}f}" for each in (spread.middle, spread.low, spread.high)
    )
    return middle if low == high else f"{middle} ({low}-{high})"


def plot(rates: Rates) -> str:
    """Draw what was accepted in relation to bare Flask."""
    cells = [(size, name) for size in rates.sizes for name in rates.names_at(size)]
    most = max(rates.ratio(name, size).high for size, name in cells)
    bars, y = [], 30
    for size in rates.sizes:
        bars.append(f'<text x="4" y="{y + 12}" font-weight="bold">c={size}</text>')
        for name, colour in _coloured(rates, size):
            spread = rates.ratio(name, size)
            bars.append(_bar(y, name, spread, WIDTH / most, colour))
            y += ROW
        y += ROW // 2
    width = LEFT + WIDTH + 60
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}"'
        ' font-family="sans-serif" font-size="12">'
        f'<rect width="{width}" height="{y}" fill="white"/>'
        f'<text x="4" y="18">accepted/s in relation to {BASE}: median and range</text>'
        f"{''.join(bars)}</svg>\n"
    )


def _coloured(rates: Rates, size: int) -> Iterator[tuple[str, str]]:
    for number, name in enumerate(rates.names):
        if rates.of(name, size):
            yield name, COLOURS[number % len(COLOURS)]


def _bar(y: int, name: str, spread: Spread, scale: float, colour: str) -> str:
    middle, low, high = (
        LEFT + each * scale for each in (spread.middle, spread.low, spread.high)
    )
    at = y + BAR / 2
    return (
        f'<text x="{LEFT - 6}" y="{y + 12}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{LEFT}" y="{y}" width="{middle - LEFT:.1f}" height="{BAR}"'
        f' fill="{colour}"/>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{at}" y2="{at}" stroke="black"/>'
        f'<text x="{high + 6:.1f}" y="{y + 12}">{spread.middle:.2f}</text>'
    )


def write(page: Path, text: str, marks: tuple[str, str] = (BEGIN, END)) -> None:
    """Put figures into a page, between their marks; without a page, make one."""
    begin, end = marks
    known = page.read_text() if page.exists() else f"{begin}\n{end}\n"
    before, _, rest = known.partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}")
