"""Finding insights: what we ship enters by the same door as what others write, an entry point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from pydantic import ValidationError

from dongcha.errors import ContractError, SettingsError, UnknownError
from dongcha.insight_kit.base import Insight

GROUP: Final = "dongcha.insights"


class Registry:
    """The insights at hand, by name, in the order of their names.

    An insight from outside that cannot be loaded is left out and told by `broken`; it never stops the others.
    """

    def __init__(self, options: Mapping[str, Mapping[str, Any]]) -> None:
        """`options`: insight name → its table in dongcha.toml."""
        self._options = options
        self._insights: dict[str, Insight] = {}
        self.broken: dict[str, str] = {}
        for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
            self._enter(point)
        self._refuse_unknown_options()

    def __iter__(self) -> Iterator[Insight]:
        return iter(self._insights.values())

    def __getitem__(self, name: str) -> Insight:
        if name not in self._insights:
            raise UnknownError(f"There is no insight '{name}'.", f"There are: {', '.join(self._insights)}.")
        return self._insights[name]

    def pick(self, names: Sequence[str]) -> list[Insight]:
        """These insights, or all of them where none is named; UnknownError for a name that is not there."""
        return [self[name] for name in names] if names else list(self)

    def add(self, insight: Insight) -> None:
        """Enter one more insight; ContractError where its name or an output's name is taken."""
        taken = {output.name for other in self for output in other.yields}
        clash = taken & {output.name for output in insight.yields}
        if insight.name in self._insights or clash:
            raise ContractError(f"{insight.name}: name taken: {', '.join(clash) or insight.name}.", "Choose another.")
        self._insights[insight.name] = insight

    def _enter(self, point: EntryPoint) -> None:
        try:
            kind = point.load()
            self.add(kind(self._config(kind, point.name)))
        except SettingsError:
            raise
        except Exception as error:  # an outsider's module may fail in any way
            self.broken[point.name] = f"{type(error).__name__}: {error}"

    def _config(self, kind: type[Insight], name: str) -> Any:
        try:
            return kind.Config(**self._options.get(name, {}))
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise SettingsError(
                f"dongcha.toml, [insights.{name}]: {wrong}.",
                f"It knows: {', '.join(kind.Config.model_fields) or 'none'}.",
            ) from None

    def _refuse_unknown_options(self) -> None:
        for name in self._options:
            if name not in self._insights and name not in self.broken:
                raise SettingsError(
                    f"dongcha.toml has [insights.{name}], and there is no such insight.",
                    f"There are: {', '.join(self._insights)}.",
                )
