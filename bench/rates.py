"""How many events a server takes, side by side with what it is compared with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bench import load
from bench.servers import Server

DONE = 'sluice_executions_total{status="success"}'
BASE = "bare Flask"
USUAL = (16, 64)  # numbers of connections


@dataclass(frozen=True, slots=True)
class Target:
    """Something to post to."""

    name: str
    server: Server
    url: str
    everywhere: bool = False  # at every number of connections, not only at the usual


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run against one target; times in milliseconds, the rest for each second."""

    target: str
    connections: int
    round: int
    accepted: float
    finished: float
    refused: float
    broken: int
    p50: float
    p99: float
    cpu: float  # microseconds of the processes that answer, for each request
    switches: float  # context switches of the same, for each request


def sample(target: Target, connections: int, number: int, seconds: int) -> Sample:
    """Load a target for so long."""
    server = target.server
    before, done = server.usage(), server.metric(DONE)
    seen = load.post(target.url, connections=connections, seconds=seconds)
    done = server.metric(DONE) - done
    used = server.usage() - before
    return Sample(
        target=target.name,
        connections=connections,
        round=number,
        accepted=seen.accepted,
        finished=done / seen.seconds,
        refused=seen.refused / seen.seconds,
        broken=seen.broken,
        p50=seen.p50,
        p99=seen.p99,
        cpu=used.cpu / seen.requests * 1e6,
        switches=(used.voluntary + used.involuntary) / seen.requests,
    )


def interleaved(
    targets: Sequence[Target], sizes: Iterable[int], *, number: int, seconds: int
) -> Iterable[Sample]:
    """Load one target after the other, so that all drift alike: one round."""
    for connections in sizes:
        for target in targets:
            if target.everywhere or connections in USUAL:
                yield sample(target, connections, number, seconds)


@dataclass(frozen=True, slots=True)
class Spread:
    """A median and its range."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Take the median of some values."""
        known = sorted(values)
        return cls(median(known), known[0], known[-1])

    def __truediv__(self, other: float) -> "Spread":
        return Spread(self.middle / other, self.low / other, self.high / other)


class Rates:
    """All samples, by target and connections."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self.samples = list(samples)

    @property
    def names(self) -> list[str]:
        """The targets, in the order in which they were loaded."""
        return list(dict.fromkeys(each.target for each in self.samples))

    @property
    def sizes(self) -> list[int]:
        """The numbers of connections."""
        return sorted({each.connections for each in self.samples})

    def names_at(self, connections: int) -> list[str]:
        """The targets that were loaded by so many connections."""
        return [name for name in self.names if self.of(name, connections)]

    def of(self, name: str, connections: int) -> list[Sample]:
        """The samples of one cell, round by round."""
        wanted = (name, connections)
        return [x for x in self.samples if (x.target, x.connections) == wanted]

    def spread(self, name: str, connections: int, figure: str) -> Spread:
        """One figure of one cell."""
        return Spread.of(getattr(x, figure) for x in self.of(name, connections))

    def ratio(self, name: str, connections: int, figure: str = "accepted") -> Spread:
        """One figure in relation to what bare Flask accepted in the same round."""
        pairs = zip(self.of(name, connections), self.of(BASE, connections), strict=True)
        return Spread.of(getattr(each, figure) / base.accepted for each, base in pairs)

    def between(self, name: str, other: str, connections: int, figure: str) -> Spread:
        """One figure of a target in relation to another's in the same round."""
        pairs = zip(
            self.of(name, connections), self.of(other, connections), strict=True
        )
        told = [(getattr(a, figure), getattr(b, figure)) for a, b in pairs]
        return Spread.of(one / other if other else 0.0 for one, other in told)
