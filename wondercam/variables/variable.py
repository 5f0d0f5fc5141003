"""The declaration of one environment variable."""

from dataclasses import dataclass

Default = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable, its default, and its description for `docs/settings.md`.

    `default` applies if the variable is unset; None if the default depends on other settings, as `shown` then explains.
    `wrong` describes the values that prevent the start; `least` and `most` are the bounds of an integer; `example` is
    the default in `.env.example` if `default` is None.
    """

    name: str
    default: Default
    meaning: str
    shown: str = ""
    wrong: str = ""
    least: int = 0
    most: int | None = None
    example: str = ""

    @property
    def default_in_words(self) -> str:
        """The default in the table of the docs: `on`, `1,048,576`, `text`."""
        if self.shown or self.default is None:
            return self.shown or "none"
        if isinstance(self.default, bool):
            return "on" if self.default else "off"
        if isinstance(self.default, str):
            return f"`{self.default}`"
        return f"{self.default:,}" if self.default >= 100_000 else str(self.default)

    @property
    def default_as_written(self) -> str:
        """The default in `.env.example`: `1`, `1048576`, `text`; "" if there is none."""
        if isinstance(self.default, bool):
            return "1" if self.default else "0"
        return self.example if self.default is None else str(self.default)
