"""Small files in the official formats, written for these tests."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"

RAW = """Therapist: [Warm tone] Hello, Ana. What brings you here?
Client: [Shrugs] The rota, mostly. [Looks away] It's nothing.
Therapist: [Nods] Nothing can weigh a lot.
Ana: [Arms crossed] If you say so.
"""

PROCESSED = [
    {
        "speaker": "Therapist",
        "stage_direction": "Warm tone",
        "statement": "Hello, Ana. What brings you here?",
    },
    {
        "speaker": "Client",
        "stage_direction": "Shrugs",
        "statement": "The rota, mostly. [Looks away] It's nothing.",
    },
    {"speaker": "Therapist", "stage_direction": None, "statement": "Nothing can weigh a lot."},
    {"speaker": "Ana", "stage_direction": "Arms crossed", "statement": "If you say so."},
]

ABOUT = (
    "Ana Ruiz is a 31-year-old female working as a night nurse. With a background in Nursing School. "
    "Ana Ruiz is currently Divorced. Has one son, lives with her mother."
)

INTAKE = """Name:
Ana Ruiz
Age:
31
Gender:
Female
Occupation: Night Nurse
Education: Nursing School
Marital Status: Divorced
Family Details: One son

2. Presenting Problem
I think that every mistake on the ward will be the end of me.
It began in spring.

3. Reason for Seeking Counseling
I sleep three hours a day.

4. Past History (including medical history)
Nothing like it before.

5. Academic/occupational functioning level: I call in sick often.
Daily life: I cook nothing.

6. Social Support System
My mother.
"""


def record(**changes: Any) -> dict[str, Any]:
    """Returns one record of the official columns."""
    return {
        "idx": "cactus-12-emotional-resistance",
        "model": "some-model",
        "personal_info": ABOUT,
        "personality": "- Emotional Resistance: keeps feelings out of sight.",
        "distorted_thought": "One slip and they will see what I am.",
        "thinking_trap": "['mind reading', 'labeling']",
        "reason_for_seeking_counseling": "I sleep three hours a day.",
        "cbt_plan": "1. Look at the slips.\n2. Count what went well.",
        "dialogue": RAW,
        "proc_dialogue": repr(PROCESSED),
        "turn": 2.0,
        "resistance": "emotional resistance",
        **changes,
    }


def as_csv(*records: dict[str, Any]) -> str:
    """Returns the records as CSV, columns as in the first one."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(records[0]))
    writer.writeheader()
    writer.writerows(records)
    return file.getvalue()


def sample(kind: str = "response", **changes: Any) -> dict[str, Any]:
    """Returns one LLaVA training sample."""
    answers = kind == "response"
    prompt = (
        f"<image>\nHere is the client.\n- Personal Information: {ABOUT}\n"
        "- Client Emotional State: Looks tired\n"
        "- Reason for Counseling: I sleep three hours a day.\n- CBT technique:\nReality Testing\n\n"
        "- Counseling planning:\n1. Look.\n2. Count.\n\nThe talk so far.\nTherapist: Hello, Ana.\n"
        "Client: The rota, mostly.\n\nAnswer as a therapist."
    )
    return {
        "question_id": f"cactus-12-emotional-resistance:2:{kind}",
        "image": "faces/turn:1.png",
        "conversations": [
            {"from": "human", "value": prompt if answers else "<image>\nWhat does it show?"},
            {"from": "gpt", "value": "Nothing can weigh a lot." if answers else "Looks tired"},
        ],
        **changes,
    }


def intake(attitude: str = "neutral", **changes: Any) -> dict[str, Any]:
    """Returns one record of the Cactus evaluation set."""
    form = {"intake_form": INTAKE, "attitude": attitude, "attitude_instruction": "Speaks when spoken to."}
    return {"AI_client": {**form, **changes}, "AI_counselor": {}, "ground_truth_CBT": ["Reality Testing"]}


def write(path: Path, value: Any) -> Path:
    """Writes text, bytes, or a value as JSON."""
    if isinstance(value, bytes):
        path.write_bytes(value)
    else:
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path
