"""Families of loss terms: what curves and trends show of a training's history.

Adversarial terms are in none, because they measure a balance and not progress.
"""

# Family of terms → prefixes of their names.
FAMILIES = {
    "hole or whole image": ("hole", "l1", "reconstruction"),
    "valid pixels": ("valid",),
    "perceptual": ("perceptual", "content"),
    "style": ("style",),
    "cross-entropy": ("cross_entropy", "nll"),
}
MAIN_FAMILIES = ("hole or whole image", "cross-entropy")
"""Of these, every phase of every network has a term."""
COARSE = "_coarse"
"""End of the names of terms of a method's own coarse output; the others are of its refined one."""


def find_family(term: str) -> str | None:
    """The family of a term; None if it has none."""
    return next((name for name, begins in FAMILIES.items() if term.startswith(begins)), None)


def is_coarse(term: str) -> bool:
    """Whether a term is of a method's own coarse output."""
    return term.endswith(COARSE)
