"""turnkey's own colours. They only repeat what a sign or a word already says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.theme import Theme

if TYPE_CHECKING:
    from core.settings import Look

DARK = Theme(
    name="turnkey-dark",
    primary="#d9a441",
    secondary="#6fa8b8",
    accent="#d9a441",
    foreground="#d8dbe0",
    background="#14171c",
    surface="#1a1e25",
    panel="#242a34",
    success="#86b46a",
    warning="#e0b040",
    error="#e07070",
    dark=True,
    variables={
        "footer-key-foreground": "#d9a441",
        "block-cursor-background": "#3a3323",
        "block-cursor-foreground": "#f2e3c2",
        "block-cursor-blurred-background": "#242a34",
        "input-selection-background": "#d9a441 35%",
    },
)
LIGHT = Theme(
    name="turnkey-light",
    primary="#8a5d00",
    secondary="#28606f",
    accent="#8a5d00",
    foreground="#1d2127",
    background="#f7f5f0",
    surface="#efece4",
    panel="#e3dfd4",
    success="#3f6f2a",
    warning="#8f6200",
    error="#a32f2f",
    dark=False,
    variables={
        "footer-key-foreground": "#8a5d00",
        "block-cursor-background": "#ecd9ac",
        "block-cursor-foreground": "#1d2127",
        "block-cursor-blurred-background": "#e3dfd4",
    },
)
CONTRAST = Theme(
    name="turnkey-contrast",
    primary="#ffd75f",
    secondary="#7fdfff",
    accent="#ffd75f",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#303030",
    success="#87ff5f",
    warning="#ffd75f",
    error="#ff8787",
    dark=True,
    variables={
        "footer-key-foreground": "#ffd75f",
        "block-cursor-background": "#003a8c",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#303030",
        "input-selection-background": "#ffffff 50%",
    },
)
"""Black, white and saturated signs: at least 7 to 1 for every text (WCAG 2.2, 1.4.6)."""

NAMES: Final[dict[Look, str]] = {
    "dark": DARK.name,
    "light": LIGHT.name,
    "contrast": CONTRAST.name,
    "ansi-dark": "ansi-dark",
    "ansi-light": "ansi-light",
}
"""A setting's word -> the theme's name; the ANSI ones are Textual's own."""
