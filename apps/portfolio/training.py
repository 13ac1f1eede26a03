"""What a model learnt from: how its training applications lie over score and bins, where its manifest keeps that."""

from dataclasses import dataclass, field

from apps.scoring_engine.models import ModelVersion

# Of a model whose manifest says nothing of its training scores: bands of a fixed width, only to be drawn.
PLAIN_EDGES = tuple(range(200, 1000, 50))


@dataclass(frozen=True, slots=True)
class Training:
    """`edges`: scores between the bands, of which there is one more; `rows`: training applications by band, empty
    where nobody knows. `bins`: the same by characteristic and bin.
    """

    edges: tuple[int, ...] = PLAIN_EDGES
    rows: tuple[float, ...] = ()
    bins: dict[str, dict[str, float]] = field(default_factory=dict)


def training_of(digest: str) -> Training:
    """By the digest of its card; the manifest of a registered model never changes."""
    manifest = ModelVersion.objects.filter(card_id=digest).values_list("manifest", flat=True).first() or {}
    scores = manifest.get("training_scores")
    bins = {
        name: dict(zip(kept["labels"], kept["rows"], strict=True))
        for name, kept in (manifest.get("training_bins") or {}).items()
    }
    if not scores:
        return Training(bins=bins)
    return Training(tuple(scores["edges"]), tuple(scores["rows"]), bins)
