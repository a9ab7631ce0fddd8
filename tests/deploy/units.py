"""The systemd units as they are shipped."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy" / "systemd"
HOME = "/opt/sluice"  # where the units expect the project


def read(name: str) -> dict[str, list[str]]:
    """Return every value of every setting of a unit, in order; sections put aside."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def environment(name: str = "sluice.service") -> dict[str, str]:
    """Return what a service's unit sets itself."""
    words = " ".join(read(name)["Environment"]).split()
    return {name: value for name, _, value in (each.partition("=") for each in words)}


def adapted(folder: Path, root: Path) -> Path:
    """Copy the units with another place for the project; return the service's.

    The others lie beside it.
    """
    for each in UNITS.iterdir():
        (folder / each.name).write_text(each.read_text().replace(HOME, str(root)))
    return folder / "sluice.service"
