"""Which file, version and class moves the fingerprint of which protocol."""

from __future__ import annotations

from collections.abc import Mapping

from mirror_bench.protocol import Protocol, RaterSettings, load_protocol
from mirror_bench.therapists import SCRIPTED

JUDGE = "scripted/fixed?text=yes"
PANEL = RaterSettings(kind="panel", models=("scripted/echo", JUDGE))


def protocols() -> dict[str, Protocol]:
    """Protocols that differ in the parts that they name."""
    offline = load_protocol("offline")
    replay = offline.client.model_copy(update={"kind": "replay"})
    flat = offline.therapist.model_copy(update={"layout": "flat"})
    judge = RaterSettings(kind="llm", model=JUDGE)
    return {
        "offline": offline,
        "paper": load_protocol("paper"),
        "replay": offline.model_copy(update={"client": replay}),
        "flat": offline.model_copy(update={"therapist": flat}),
        "judged": offline.model_copy(update={"client": replay, "raters": (judge,), "safety": False}),
        "panel": offline.model_copy(update={"client": replay, "raters": (PANEL,)}),
        "flow": offline.model_copy(
            update={
                "client": replay,
                "raters": (judge,),
                "safety": False,
                "instruments": ("risk_checklist", "conversation_criteria", "observed_attunement"),
            }
        ),
        "given": load_protocol("replay-real"),
        "hope": offline.model_copy(update={"instruments": ("wai",)}),
    }


ALL = frozenset(protocols())
CODED = frozenset({"offline", "replay", "flat", "hope", "given"})
JUDGED = frozenset({"paper", "judged", "panel", "flow"})
STATEFUL = frozenset({"offline", "flat", "hope", "panel"})
"""A panel's judges are put on one scale by sessions with the stateful client."""
CANDIDATES = (*(f"scripted/{name}" for name in SCRIPTED.names()), "cheat/rubric", "cheat/parrot")

# Pattern of files below tasks/ -> the protocols, and the candidates, that one letter in it moves.
MOVES: Mapping[str, tuple[frozenset[str], tuple[str, ...]]] = {
    "prompts/therapist_system.jinja": (ALL - {"paper", "flat"}, ()),
    "prompts/therapist_flat.jinja": (frozenset({"paper", "flat"}), ()),
    "prompts/therapist_caption.jinja": (ALL, ()),
    "prompts/therapist_plan.jinja": (ALL, ()),
    "techniques.yaml": (ALL, ()),
    "prompts/client.jinja": (frozenset({"paper"}), ()),
    "prompts/client_*.jinja": (frozenset({"paper"}), ()),
    "prompts/judge_item.jinja": (JUDGED, ()),
    "prompts/judge_system.jinja": (JUDGED, ()),
    "prompts/judge_flow.jinja": (frozenset({"flow"}), ()),
    "prompts/judge_criteria.jinja": (frozenset({"flow"}), ()),
    "behaviours/client.yaml": (ALL, ()),
    "behaviours/moves.yaml": (CODED, ()),
    # Every rater asks the codes of safety whether danger was disclosed.
    "behaviours/safety.yaml": (ALL, ()),
    "behaviours/admissions.yaml": (ALL, ()),
    "safety/concepts.yaml": (ALL, ()),
    "safety/signals.yaml": (ALL, ()),
    "safety/heads.npz": (ALL, ()),
    "safety/encoder.npz": (ALL, ()),
    # Turns that are asked for again are judged by these.
    "behaviours/therapist.yaml": (ALL, ()),
    "behaviours/words.yaml": (ALL, CANDIDATES),
    "behaviours/feelings.yaml": (ALL, ()),
    "behaviours/forms.yaml": (ALL, ()),
    "behaviours/form_weights.yaml": (ALL, ()),
    "clients/hearing.yaml": (STATEFUL, ()),
    "clients/[!h]*.yaml": (STATEFUL, ()),
    "faces/*.yaml": (ALL, ()),
    "instruments/ctrs.yaml": (ALL - {"hope", "flow", "given"}, ()),
    "instruments/wai.yaml": (ALL - {"flow", "given"}, ()),
    "instruments/safety.yaml": (ALL - {"judged", "flow", "given"}, ()),
    "instruments/replies.yaml": (frozenset({"given"}), ()),
    "instruments/risk_checklist.yaml": (frozenset({"flow"}), ()),
    "instruments/conversation_criteria.yaml": (frozenset({"flow"}), ()),
    "instruments/observed_attunement.yaml": (frozenset({"flow"}), ()),
    "therapists/attuned.yaml": (
        frozenset({"panel"}),
        tuple(f"scripted/{name}" for name in ("attuned", "words-only", "guesser")),
    ),
    "therapists/directive.yaml": (frozenset({"panel"}), ("scripted/directive", "scripted/random")),
    "therapists/listening.yaml": (
        frozenset({"panel"}),
        tuple(
            f"scripted/{name}"
            for name in ("attuned", "words-only", "guesser", "reflective", "directive", "random")
        ),
    ),
    "therapists/parrot.yaml": (frozenset({"panel"}), ("scripted/parrot",)),
    "therapists/warm.yaml": (frozenset(), ("scripted/warm", "scripted/random")),
    "gaming/rubric.yaml": (frozenset(), ("cheat/rubric",)),
    "gaming/parrot.yaml": (frozenset(), ("cheat/parrot",)),
}
DATA = ("mini/profiles.jsonl", "mini/voices/*.yaml", "mini/screenplays/*.txt", "mini/screenplays/index.yaml")
"""Files of the packaged data: they move the digest of the data, which every protocol on them has."""
MOVES_NOTHING: Mapping[str, str] = {
    "licence/*.yaml": "what judges are examined on; it moves no score",
    "licence/held/*.json": "licences that are shipped",
    "gaming/*.yaml": "a candidate each, as those above",
    "protocols/*.yaml": "the protocol itself: its values are parameters (tests/test_protocol.py)",
    "therapists/unsafe.yaml": "sentences that an examination of the safety codes reads; nobody says them",
    "therapists/wordy.yaml": "padding for an examination of pairwise comparison",
    "pairwise.yaml": "asked of finished runs by `compare`, which compares runs of one fingerprint",
    "prompts/pairwise*.jinja": "as pairwise.yaml",
    "study/*.yaml": "what people read who rate finished sessions",
    "prompts/annotate_*.jinja": "what `data annotate` asks a model about official files",
    "prompts/training_*.jinja": "training examples that `data export` writes",
    "prompts/resistance_plan.jinja": "screenplays that `data make` makes; a run counts data by their content",
    "prompts/screenplay.jinja": "as prompts/resistance_plan.jinja",
    "prompts/face_description.jinja": "photographs that `faces make` makes; a run counts them by their bytes",
    "making/face_words.yaml": "as prompts/face_description.jinja",
    "lm_eval/*": "static tasks, which have versions of their own",
    "safety/examples.yaml": "an examination of the safety codes",
    "safety/bank/*": "what heads are trained from; the heads themselves count",
    "safety/unseen/*": "what readers are measured by; nothing is trained on it",
    "safety/*.md": "about the encoder",
    "mini/*.md": "about the data",
    "mini/splits.yaml": "digests of the data as published, to check a copy by",
    "fitness.yaml": "limits beyond which a report says that a client or judge is not fit; no score",
}

# Module with a VERSION -> the protocols that it moves.
CODE: Mapping[str, frozenset[str]] = {
    "mirror_bench.therapists.reply_cleaning": ALL,
    "mirror_bench.therapists.prompts": ALL,
    "mirror_bench.therapists.methods": ALL,
    "mirror_bench.prompts": ALL,
    "mirror_bench.faces.conditions": ALL,
    "mirror_bench.faces.directions.reader": ALL,
    "mirror_bench.faces.facs.expressions": ALL,
    "mirror_bench.faces.identity": ALL,
    "mirror_bench.faces.presenter": ALL,
    "mirror_bench.faces.directions.marks": frozenset({"paper"}),
    "mirror_bench.engines.reasoning": ALL,
    "mirror_bench.sessions.session": ALL,
    "mirror_bench.sessions.counterfactual_turns": ALL,
    "mirror_bench.data.scenarios": ALL,
    "mirror_bench.coding.therapist_behaviour": ALL,
    "mirror_bench.text": ALL,
    "mirror_bench.coding.safety.turns": ALL,
    "mirror_bench.coding.safety.admitted": ALL,
    "mirror_bench.raters.safety_features": ALL,
    "mirror_bench.coding.client_talk": ALL,
    "mirror_bench.coding.session_moves": CODED,
    "mirror_bench.raters.coded_session": CODED,
    "mirror_bench.raters.session_features": CODED,
    "mirror_bench.raters.judge_json": JUDGED,
    "mirror_bench.raters.judge_transcript": JUDGED,
    "mirror_bench.raters.flows": frozenset({"flow"}),
    "mirror_bench.raters.criteria_rater": frozenset({"flow"}),
    "mirror_bench.coding.face_remarks": ALL,
    "mirror_bench.coding.feelings": ALL,
    "mirror_bench.coding.sentence_forms": ALL,
    "mirror_bench.coding.attunement": ALL,
    "mirror_bench.clients.stateful.perception": STATEFUL,
    "mirror_bench.clients.stateful.utterances": STATEFUL,
    "mirror_bench.clients.stateful.utterance_choice": STATEFUL,
    "mirror_bench.clients.stateful.policy": STATEFUL,
    "mirror_bench.sessions.judging.panel_anchors": frozenset({"panel"}),
    "mirror_bench.sessions.judging.examination_pairs": frozenset(),
    "mirror_bench.therapists.policies.phrases": frozenset({"panel"}),
    "mirror_bench.therapists.policies.client_words": frozenset({"panel"}),
    "mirror_bench.therapists.cheats": frozenset(),
}
CLASSES: Mapping[str, frozenset[str]] = {
    "mirror_bench.clients.stateful.client:StatefulClient": STATEFUL,
    "mirror_bench.clients.llm:LLMClient": frozenset({"paper"}),
    "mirror_bench.clients.replay:ReplayClient": frozenset({"replay", "judged", "panel", "flow"}),
    "mirror_bench.clients.replay:GivenReplayClient": frozenset({"given"}),
    "mirror_bench.raters.coded:CodedRater": CODED,
    "mirror_bench.raters.llm:LLMRater": JUDGED,
    "mirror_bench.raters.panel:PanelRater": frozenset({"panel"}),
    "mirror_bench.faces.drawing.drawn_faces:DrawnFaces": ALL,
    "mirror_bench.therapists.policies.comparison:Scripted": frozenset({"panel"}),
}
