"""The Dockerfile as it is shipped, taken apart."""

from tests.deploy.units import ROOT

TEXT = (ROOT / "deploy/Dockerfile").read_text()


def instructions() -> list[tuple[str, str]]:
    """Return each instruction and its arguments, over continued lines."""
    lines = [each for each in TEXT.splitlines() if not each.lstrip().startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    pairs = [each.split(maxsplit=1) for each in whole.splitlines() if each.strip()]
    return [(name, " ".join(rest.split())) for name, rest in pairs]


def last(name: str) -> str:
    return [rest for each, rest in instructions() if each == name][-1]


def copied() -> set[str]:
    """Return the files and folders of the project that the image holds."""
    copies = [rest.split() for name, rest in instructions() if name == "COPY"]
    sources = [each[:-1] for each in copies if not each[0].startswith("--")]
    return {source for each in sources for source in each}


def settings() -> dict[str, str]:
    """Return the environment that the image sets."""
    words = last("ENV").split()
    return {name: value for name, _, value in (each.partition("=") for each in words)}
