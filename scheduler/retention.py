"""How long each class of data is kept: `[retention]` in policy.toml, which says why."""

from pydantic import BaseModel, ConfigDict, Field


class Retention(BaseModel):
    """Days after which each class goes; policy.toml says why. Files of elders: after they were closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inbox: int = Field(ge=3)  # platforms deliver a thing again within a day or two
    outbox: int = Field(ge=3)
    cancelled_drafts: int = Field(ge=1)
    submitted_drafts: int = Field(ge=3)  # a tap on an old button is answered by what it became
    media_never_fetched: int = Field(ge=3)
    playground: int = Field(ge=1)
    jobs: int = Field(ge=1)
    guesses: int = Field(ge=1)
    alert_links: int = Field(ge=1)  # after the alert ended
    device_events: int = Field(ge=7)  # a vendor's late repeat is told from something new
    closed_elders: int = Field(ge=365)
