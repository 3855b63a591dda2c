"""Who speaks: the names that files use for client and therapist, and those that the user maps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from mirror_bench.errors import InputError
from mirror_bench.schema import Speaker

CLIENT = frozenset(
    {"client", "user", "patient", "member", "human", "seeker", "help-seeker"}
    | {"caller", "visitor", "customer", "usr", "person"}
)
THERAPIST = frozenset(
    {"therapist", "assistant", "agent", "counselor", "counsellor", "clinician", "provider", "psychologist"}
    | {"chatbot", "bot", "ai", "gpt", "model", "listener", "supporter", "helper", "coach", "doctor"}
)
SILENT = frozenset({"system", "developer", "tool", "function", "moderator", "narrator"})
"""Speakers whose words belong to nobody in the session."""
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")


def spelt(name: str) -> str:
    """Returns a speaker's name as it is compared: small letters, without marks around it."""
    return " ".join(_EDGES.sub("", name.lower()).split())


class Cast(NamedTuple):
    """Which names stand for whom; what the user maps goes before what is known.

    Attributes:
        client: Names of the client.
        therapist: Names of the therapist.
        silent: Names whose turns are left out.
    """

    client: frozenset[str] = frozenset()
    therapist: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()

    @classmethod
    def of(cls, client: Sequence[str], therapist: Sequence[str], ignored: Sequence[str]) -> Cast:
        """Returns the cast that options name.

        Raises:
            InputError: If a name stands for two.
        """
        sides = [frozenset(map(spelt, names)) for names in (client, therapist, ignored)]
        options = ("--client", "--therapist", "--ignore")
        for number, (side, option) in enumerate(zip(sides, options, strict=True)):
            if "" in side:
                raise InputError(f"{option}: a speaker's name has letters; give the name as the file has it")
            for other, another in list(zip(sides, options, strict=True))[number + 1 :]:
                if twice := sorted(side & other):
                    raise InputError(f"{option} and {another} both name {twice[0]!r}: leave one of them out")
        return cls(*sides)

    @property
    def mapped(self) -> frozenset[str]:
        """All names that the user maps."""
        return self.client | self.therapist | self.silent

    def side(self, name: str) -> Speaker | str | None:
        """Returns who a name is, "" for nobody in the session, None where it is not known."""
        name = spelt(name)
        for client, therapist, silent in (self, (CLIENT, THERAPIST, SILENT)):
            if name in client:
                return Speaker.CLIENT
            if name in therapist:
                return Speaker.THERAPIST
            if name in silent:
                return ""
        return None


def unmapped(path: str, found: Counter[str], first: dict[str, str]) -> InputError:
    """Returns the error for speakers of whom it is not known who they are.

    Args:
        path: What was read.
        found: Speaker -> turns.
        first: Speaker -> where it speaks first, as "file:line".
    """
    shown = ", ".join(f"{name!r} ({many} turns, first {first[name]})" for name, many in found.most_common(6))
    if len(found) > 6:
        shown += f" and {len(found) - 6} more"
    name = next(iter(found))
    quoted = f"'{name}'" if " " in name else name or "''"
    return InputError(
        f"{path}: who are these speakers: {shown}? Say it: --client {quoted}, --therapist {quoted}, or "
        f"--ignore {quoted} to leave the turns out. Nothing was imported"
    )
