"""The client of a session that was held elsewhere: it spoke already, and nobody can hear it again."""

from __future__ import annotations

from mirror_bench.clients.base import Client, ClientNeeds
from mirror_bench.errors import InputError
from mirror_bench.parts import StandsOn
from mirror_bench.protocol import ClientSettings
from mirror_bench.schema import Scenario


class RecordedClient:
    """Stands in the protocol of an imported run, so that it is told apart from any that was held here."""

    version = "1"
    recorded = True
    """Whether sessions of this client were held elsewhere: no session loop, face or method enters them."""

    @classmethod
    def stands_on(cls, settings: ClientSettings) -> StandsOn:
        """See `ClientKind`."""
        return StandsOn.of("client.recorded", cls.version)

    @classmethod
    def cast(cls, scenario: Scenario, needs: ClientNeeds) -> Client:
        """See `ClientKind`.

        Raises:
            InputError: Always.
        """
        raise InputError(
            "the client `recorded` spoke elsewhere and can be held with nobody again: name another --client "
            "(replay says the client's lines of --data imported:RUN once more)"
        )
