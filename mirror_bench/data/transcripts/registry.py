"""Readers of transcripts by the name of their format; other packages add theirs."""

from __future__ import annotations

from mirror_bench.registry import Registry

TRANSCRIPTS = Registry(
    "transcript_format",
    {
        "messages": "mirror_bench.data.transcripts.messages:read_messages",
        "csv": "mirror_bench.data.transcripts.tables:read_table",
        "text": "mirror_bench.data.transcripts.text_files:read_text_files",
        "patienthub": "mirror_bench.data.transcripts.patienthub:read_patienthub",
        "mindeval": "mirror_bench.data.transcripts.mindeval:read_mindeval",
        "inspect": "mirror_bench.data.transcripts.inspect_logs:read_inspect",
    },
)
"""Name -> a `base.Reader`."""
