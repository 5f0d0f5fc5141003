"""The declaration of one environment variable."""

from dataclasses import dataclass

Default = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable, its default, and what `docs/settings.md` says of it.

    `default` is what counts where it is unset; None where that depends on other things, which `shown` then tells.
    `wrong` names the values that stop the start; `least` and `most` bound a whole number; `example` is the default as
    `.env.example` writes it, where it cannot be told from `default`.
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
        """For the table: `on`, `1,048,576`, `text`."""
        if self.shown or self.default is None:
            return self.shown or "none"
        if isinstance(self.default, bool):
            return "on" if self.default else "off"
        if isinstance(self.default, str):
            return f"`{self.default}`"
        return f"{self.default:,}" if self.default >= 100_000 else str(self.default)

    @property
    def default_as_written(self) -> str:
        """For `.env.example`: `1`, `1048576`, `text`; empty where there is none."""
        if isinstance(self.default, bool):
            return "1" if self.default else "0"
        return self.example if self.default is None else str(self.default)
