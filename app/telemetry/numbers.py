"""What is counted on the way of every event: so cheap that nobody needs to count less.

prometheus_client's own counters take twenty times as many machine instructions, most
of them for what never changes here. These are kept where it keeps its own, in files
that outlive their process, and read by it: docs/decisions/0011.
"""

import math
import os
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.utils import floatToGoString

WIDTH = 8  # bytes of a number; the files keep each at a multiple of it


class Sheet:
    """Numbers in their places; all of one kind, because a file's name tells it.

    Made after the fork, as two processes must not write to one file. The layout is the
    library's, and so is what makes it; a test reads it with the library's collector.

    Args:
        kind: `counter` or `histogram`.
        folder: where the processes of a server keep their files; None keeps the
            numbers in memory.
    """

    def __init__(self, kind: str, folder: str | None) -> None:
        self.lock = threading.Lock()
        self._memory: list[float] = []
        self.cells: list[float] | memoryview[float] = self._memory
        self._file: MmapedDict | None = None
        if folder is not None:
            path = os.path.join(folder, f"{kind}_event_{os.getpid()}.db")  # noqa: PTH118 - as the library has it
            self._file = MmapedDict(path)

    def place(self, family: str, name: str, labels: dict[str, str], told: str) -> int:
        """Return the place of a number, which begins at 0 or where it was left.

        Args:
            family: the metric that it is a part of.
            name: of the sample.
            labels: of the sample, `le` included.
            told: what the metric says about itself.
        """
        with self.lock:
            if self._file is None:
                self._memory.append(0.0)
                return len(self._memory) - 1
            key = mmap_key(family, name, [*labels], [*labels.values()], told)
            self._file.read_value(key)  # makes it; a full file grows into a new map
            self.cells = memoryview(self._file._m).cast("d")  # noqa: SLF001 - see above
            at: int = self._file._positions[key]  # noqa: SLF001 - see above
            return at // WIDTH

    def close(self) -> None:
        """Let go of the file, which stays; nothing can be counted any more."""
        with self.lock:
            self.cells = self._memory
            if self._file is not None:
                self._file.close()


class Counter:
    """How often something happened, by labels of few values."""

    def __init__(
        self, sheet: Sheet, name: str, told: str, labels: Sequence[str] = ()
    ) -> None:
        self._sheet, self._name, self._told = sheet, name, told
        self._labels = tuple(labels)
        self._places: dict[tuple[str, ...], int] = {}
        if not labels:
            self.begin()

    def begin(self, *values: str) -> int:
        """Let these labels be told of, with 0 if nothing has happened."""
        labels = dict(zip(self._labels, values, strict=True))
        place = self._sheet.place(self._name, f"{self._name}_total", labels, self._told)
        return self._places.setdefault(values, place)

    def add(self, *values: str, amount: float = 1.0) -> None:
        """Count, under these values of the labels."""
        place = self._places.get(values)
        if place is None:
            place = self.begin(*values)
        sheet = self._sheet
        with sheet.lock:
            sheet.cells[place] += amount

    def collect(self) -> Iterator[Metric]:
        """Tell what has been counted in this process."""
        family = CounterMetricFamily(self._name, self._told, labels=self._labels)
        for values, place in self._places.copy().items():
            family.add_metric(values, self._sheet.cells[place])
        yield family


class Histogram:
    """How long something took, or how much it was, by labels of few values.

    Args:
        bounds: the upper ends of the buckets, rising; one without end is added.
    """

    def __init__(
        self,
        sheet: Sheet,
        name: str,
        told: str,
        labels: Sequence[str] = (),
        *,
        bounds: Iterable[float],
    ) -> None:
        self._sheet, self._name, self._told = sheet, name, told
        self._labels, self._bounds = tuple(labels), tuple(map(float, bounds))
        self._ends = [floatToGoString(each) for each in (*self._bounds, math.inf)]
        self._rows: dict[tuple[str, ...], tuple[int, ...]] = {}
        if not labels:
            self.begin()

    def begin(self, *values: str) -> tuple[int, ...]:
        """Let these labels be told of; return their places, the last of the sum."""
        labels = dict(zip(self._labels, values, strict=True))
        places = [self._place("bucket", labels | {"le": end}) for end in self._ends]
        return self._rows.setdefault(values, (*places, self._place("sum", labels)))

    def observe(self, amount: float, *values: str) -> None:
        """Note one amount, under these values of the labels."""
        row = self._rows.get(values)
        if row is None:
            row = self.begin(*values)
        bucket = row[bisect_left(self._bounds, amount)]
        sheet = self._sheet
        with sheet.lock:
            cells = sheet.cells
            cells[bucket] += 1.0
            cells[row[-1]] += amount

    def collect(self) -> Iterator[Metric]:
        """Tell what has been noted in this process."""
        family = HistogramMetricFamily(self._name, self._told, labels=self._labels)
        for values, (*buckets, total) in self._rows.copy().items():
            reached, told = 0.0, []
            for end, place in zip(self._ends, buckets, strict=True):
                reached += self._sheet.cells[place]
                told.append((end, reached))
            family.add_metric(values, told, self._sheet.cells[total])
        yield family

    def _place(self, part: str, labels: dict[str, str]) -> int:
        return self._sheet.place(self._name, f"{self._name}_{part}", labels, self._told)
