"""One typed settings object, from `dongcha.toml` and the environment (`DONGCHA_…`, which wins)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from dongcha.errors import SettingsError

FILE: Final = "dongcha.toml"
Language = Literal["en", "zh"]
REFRESH: Final = r"^(daily at ([01]\d|2[0-3]):[0-5]\d|every [1-9]\d{0,3} (minutes|hours))?$"


class Section(BaseModel):
    """A part of the file; an unknown key is a mistake worth telling."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ShopSection(Section):
    """The business itself."""

    name: str = "My shop"
    language: Language = "en"
    currency: Annotated[str, Field(pattern=r"^([A-Z]{3})?$")] = ""
    time_zone: str = "UTC"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError(f"'{zone}' is not a time zone; write it like Asia/Shanghai")
        return zone


class TimeSection(Section):
    """How far ahead the insights look, and how the past is cut to test them."""

    horizon_days: Annotated[int, Field(ge=1, le=3650)] = 90
    folds: Annotated[int, Field(ge=1, le=50)] = 4
    """Rolling backtests: how many cutoffs."""
    step_days: Annotated[int, Field(ge=1, le=365)] = 30
    """Days between two cutoffs, in training and in testing."""


class AnswersSection(Section):
    """How questions are answered (`dongcha ask`), and by which language model, if any."""

    least_sure: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The chance of being right below which the answer is "I don't know"."""
    people_for: tuple[str, ...] = ()
    """Intents that always go to a person, by the names that `messages.intent` has."""
    encoder: str = ""
    """A sentence-transformers model by folder or name, or with `encoder_url` an endpoint's; empty: by shared grams."""
    encoder_url: str = ""
    base_url: str = ""
    """An OpenAI-compatible endpoint, http://localhost:11434/v1; empty: no language model."""
    model: str = ""
    key_variable: str = "OPENAI_API_KEY"
    """The environment variable that holds the key, never the key itself."""
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 20.0

    @field_validator("base_url", "encoder_url")
    @classmethod
    def _without_secrets(cls, url: str) -> str:
        if url and ("@" in url or "?" in url or not url.startswith(("http://", "https://"))):
            raise ValueError("write it as http(s)://host/path, without a key or a password")
        return url


class ServeSection(Section):
    """What `dongcha serve` answers, and what it does by itself."""

    refresh: Annotated[str, Field(pattern=REFRESH)] = ""
    """When `dongcha run` runs by itself: "daily at 03:00" in the shop's time zone, "every 6 hours"; empty: never."""
    hosts: tuple[str, ...] = ()
    """The names that the server is reached by, beside this machine's own; empty: any."""
    origins: tuple[str, ...] = ()
    """Sites whose pages may call the API from a browser, with a key; empty: none."""
    rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 500.0
    """Requests a second of a key that has no limit of its own; 0: no limit."""

    @field_validator("origins")
    @classmethod
    def _whole_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [o for o in origins if not re.fullmatch(r"https?://[^/*\s]+", o)]:
            raise ValueError(f"'{wrong[0]}' is not an origin; write it like https://shop.example.com")
        return origins


class Settings(BaseSettings):
    """All settings of a workspace. `insights` holds a table of options per insight, read by its own config class."""

    model_config = SettingsConfigDict(env_prefix="DONGCHA_", env_nested_delimiter="__", frozen=True, extra="forbid")

    shop: ShopSection = ShopSection()
    time: TimeSection = TimeSection()
    answers: AnswersSection = AnswersSection()
    serve: ServeSection = ServeSection()
    insights: dict[str, dict[str, Any]] = {}
    seed: Annotated[int, Field(ge=0)] = 7
    threads: Annotated[int, Field(ge=0)] = 0
    """Processor threads for training; 0 = all of them."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.shop.time_zone)


def read_settings(workspace: Path) -> Settings:
    """The settings of a workspace; the defaults where it has no `dongcha.toml`.

    Raises SettingsError naming the file, the key and what is wrong with its value.
    """
    file = workspace / FILE
    try:
        written = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
        return Settings(**written)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{file} is not valid TOML: {error}.", "Mend that line, or start anew: dongcha new DIR."
        ) from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"{file} or DONGCHA_… holds an unusable value: {wrong}.", "Mend it and repeat.") from None


TEMPLATE: Final = """\
# Dongcha: the settings of this workspace. Every line is the default; change what you need.
# Environment variables win over this file: DONGCHA_TIME__HORIZON_DAYS=60

seed = 7                    # the same seed gives the same answers
threads = 0                 # processor threads for training; 0 = all of them

[shop]
name = "My shop"
language = "en"             # en or zh: the language of reasons and reports
currency = ""               # ISO 4217 code that money is shown in; empty: the one that the orders name
time_zone = "UTC"           # how times without an offset are read, e.g. Asia/Shanghai

[time]
horizon_days = 90           # how far ahead churn and lifetime value look
folds = 4                   # rolling backtests: how many cutoffs
step_days = 30              # days between two cutoffs

[answers]                   # dongcha ask
least_sure = 0.5            # below this chance of being right the answer is "I don't know"
people_for = []             # intents (messages.intent) that always go to a person, for example ["complaint"]
encoder = ""                # a sentence-transformers model by folder or name; empty: by shared words and characters
encoder_url = ""            # an OpenAI-compatible embeddings endpoint for `encoder`
base_url = ""               # an OpenAI-compatible language model, http://localhost:11434/v1; empty: quotes alone
model = ""                  # its name
key_variable = "OPENAI_API_KEY" # the environment variable that holds its key
timeout_seconds = 20.0      # after which the sources are quoted instead

[serve]                     # dongcha serve
refresh = ""                # when dongcha run runs by itself: "daily at 03:00", "every 6 hours"; empty: never
hosts = []                  # names that the server is reached by beside this machine's own; empty: any
origins = []                # sites whose pages may call the API with a key, for example ["https://shop.example.com"]
rate = 500.0                # requests a second of a key that has no limit of its own; 0 = no limit

# Options of one insight, for example:
# [insights.segmentation]
# most_groups = 8
"""
