"""Figures as a page embeds them: on a light ground and on a dark one, and with words."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import NamedTuple

from mirror_bench.figures import style

# What replaces a figure's ground, inks, grid and darkest data colour on a dark page.
DARK = {
    style.GROUND: "#1b2027",
    style.INK: "#e7eaee",
    style.MUTED: "#a8b1bd",
    style.GRID: "#39414c",
    style.COLORS[0]: "#3d9bdc",
}
CAPTIONS = {
    "scores": (
        "Scores",
        "Instrument totals with 95 % intervals; the axis is zoomed to where they lie.",
    ),
    "resistance": (
        "Scores by resistance",
        "Mean instrument totals for each way of resisting, with the own face.",
    ),
    "visual_gain": (
        "Visual gain",
        "Score with the client's own face minus score with another or no face, same scenarios. An interval "
        "that holds 0 shows no use of the face.",
    ),
    "visual_reliance": (
        "Gain and reliance",
        "Upwards what the own face gains over another, to the right how often words change with the face "
        "alone. Far right at height 0: swayed by faces without gaining.",
    ),
    "trajectories": (
        "Resistance and alliance over the session",
        "Mean latent state of the simulated client with 95 % bands; a session that is over keeps its last "
        "state.",
    ),
    "endings": ("Endings", "How sessions with the own face ended, as shares of the sessions due."),
}


class FigureView(NamedTuple):
    """A figure: its title, caption, text for those who do not see it, and addresses of its two images."""

    name: str
    title: str
    caption: str
    alt: str
    light: str
    dark: str


def embed_figure(svg: Path) -> FigureView:
    """Returns what a page needs of one SVG that `write_plots` wrote."""
    title, caption = CAPTIONS.get(svg.stem, (svg.stem.replace("_", " ").capitalize(), ""))
    light = svg.read_text(encoding="utf-8")
    dark = light
    for old, new in DARK.items():
        dark = dark.replace(old, new)
    alt = f"Figure: {title.lower()}. The tables of this page give its numbers."
    return FigureView(svg.stem, title, caption, alt, _svg_address(light), _svg_address(dark))


def _svg_address(text: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode("ascii")
