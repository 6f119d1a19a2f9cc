"""What a suite sees of an update: `pair.rlvr.update_since(pair.base)` and what can be asked of it.

Every number is known without sampling error. Two checkpoints with the same weights have no update:
then nothing but `changed` can be judged, and every other comparison is *not comparable*.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, median
from typing import TYPE_CHECKING, Protocol

from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.judging.quantities import Exact
from rlvr_gate.records import NOTHING, Evidence, Unit
from rlvr_gate.weights.compare import TensorChange, Update

if TYPE_CHECKING:  # these take scipy, which collecting tests does not need
    from rlvr_gate.records import MaskShare, MatrixShape
    from rlvr_gate.weights.joint import Together
    from rlvr_gate.weights.shapes import Shapes

_VALUE_HEAD = re.compile(r"(^|\.)(v_head|value_head)\.")
"""What a trainer's critic adds to a policy; no policy has one."""


class Weights(Protocol):
    """Where comparisons of weights come from."""

    def update(self, role: str, against: str) -> Update:
        """Every tensor of one checkpoint against another."""

    def shapes(self, role: str, against: str) -> Shapes:
        """The update's matrices: size, rank, spectra, angles, masks."""

    def together(self) -> Together:
        """All checkpoints' updates of the base at once."""


@dataclass(frozen=True)
class UpdateView:
    """The weight update of one checkpoint since another, asked by a claim."""

    role: str
    against: str
    source: Weights
    ledger: Ledger

    @cached_property
    def update(self) -> Update:
        """The streamed comparison."""
        return self.source.update(self.role, self.against)

    @cached_property
    def shapes(self) -> Shapes:
        """The matrices, measured."""
        return self.source.shapes(self.role, self.against)

    @cached_property
    def _reasons(self) -> tuple[str, ...]:
        """Why nothing can be said about this update."""
        same = self.update.share("unchanged_exact") == 1
        nothing = f"{self.role} and {self.against} hold the same weights: there is no update"
        found = [self.update.incomplete(), *([self._left_over() or nothing] if same else [])]
        return tuple(filter(None, found))

    def _left_over(self) -> str:
        """What of the two checkpoints was compared with nothing."""
        update = self.update
        names = [*update.missing, *update.extra]
        if not names and not update.unmatched_parameters:
            return ""
        return (
            f"{len(update.missing)} tensors of {self.against} and {len(update.extra)} of "
            f"{self.role} have no partner, e.g. "
            f"{', '.join(names[:2]) or 'rows of a resized embedding'}"
        )

    def _exact(
        self,
        what: str,
        value: float | None,
        evidence: Evidence = NOTHING,
        absent: str = "",
        unit: Unit = Unit.SHARE,
    ) -> Exact:
        """A number about this update; None with the reason why it does not exist."""
        reasons = (*self._reasons, *([absent or f"no {what}"] if value is None else []))
        return Exact(
            f"{self.role} {what} since {self.against}",
            0.0 if value is None else value,
            self.ledger,
            Evidence(weights=self.update.totals()) | evidence,
            tuple(dict.fromkeys(reasons[:1] if self._reasons else reasons)),
            unit,
        )

    # Sparsity

    def changed(self) -> Exact:
        """Share of the weights whose value is another, nothing rounded; 0 for equal ones."""
        share = 1 - self.update.share("unchanged_exact")
        label = f"{self.role} share of weights changed since {self.against}"
        found = (self.update.incomplete(), self._lost(), self._rounded_away())
        reasons = tuple(filter(None, found))[:1]
        return Exact(label, share, self.ledger, Evidence(weights=self.update.totals()), reasons)

    def _lost(self) -> str:
        """Why not all was compared that may have changed; a value head beside may be new."""
        same = self.update.share("unchanged_exact") == 1
        new = [name for name in self.update.extra if not _VALUE_HEAD.search(name)]
        return self._left_over() if self.update.missing or new or same else ""

    def _rounded_away(self) -> str:
        exact = self.update.share("unchanged_exact")
        if not exact < 1 == self.update.share("unchanged_bf16"):
            return ""
        return (
            f"served in bfloat16 {self.role} is {self.against}: {1 - exact:.1%} of the weights "
            "differ, and none of them once rounded"
        )

    def unchanged(self) -> Exact:
        """Update sparsity in bfloat16 (arXiv:2511.08567, def. 2.2)."""
        return self._exact("weights unchanged", self.update.share("unchanged_bf16"))

    def identical(self) -> Exact:
        """Share of weights equal as they are stored, nothing rounded: for fp32 masters."""
        share = self.update.share("unchanged_exact")
        kinds = {t.dtype for t in self.update.tensors}
        fine = all(kind.rpartition("/")[2] in ("F32", "F64") for kind in kinds)
        why = f"needs {self.role} in fp32, got {', '.join(sorted(kinds))}"
        return self._exact("weights identical in fp32", share if fine else None, absent=why)

    def tolerance_gap(self) -> Exact:
        """How much more is "unchanged" within 1e-5 (arXiv:2505.11711) than in bfloat16."""
        loose, strict = (self.update.share(c) for c in ("within_tolerance", "unchanged_bf16"))
        return self._exact("unchanged within 1e-5 beyond bfloat16", loose - strict)

    def norms_unchanged(self) -> Exact:
        """Share of the normalisations' weights that is unchanged in bfloat16."""
        from rlvr_gate.weights.shapes import is_norm

        tensors = [t for t in self.update.tensors if is_norm(t.name)]
        share = self.update.share("unchanged_bf16", tensors) if tensors else None
        return self._exact("norm weights unchanged", share, absent="no normalisation has weights")

    def spread_over_layers(self) -> Exact:
        """Largest distance of a layer's sparsity from that of all layers' matrices."""
        from rlvr_gate.weights.shapes import layer_of

        return self._spread("layer", lambda t: layer_of(t.name))

    def spread_over_types(self) -> Exact:
        """Largest distance of a matrix type's sparsity from that of all layers' matrices."""
        from rlvr_gate.weights.shapes import kind_of

        return self._spread("matrix type", lambda t: kind_of(t.name))

    def _spread(self, what: str, group: Callable[[TensorChange], object]) -> Exact:
        from rlvr_gate.weights.shapes import layer_of

        inside = [t for t in self.update.tensors if layer_of(t.name) is not None]
        matrices = [t for t in inside if len(t.shape) > 1]
        if self.update.adapter_rank is not None:  # its targets were chosen, and are no finding
            matrices = [t for t in matrices if t.update_norm]
        groups: dict[object, list[TensorChange]] = {}
        for tensor in matrices:
            groups.setdefault(group(tensor), []).append(tensor)
        whole = self.update.share("unchanged_bf16", matrices)
        shares = {str(key): self.update.share("unchanged_bf16", of) for key, of in groups.items()}
        far = max((abs(share - whole) for share in shares.values()), default=None)
        return self._exact(
            f"sparsity: farthest {what} from the whole", far,
            Evidence(shares={f"by {what}": shares}),
            f"no {what} holds matrices",
        )  # fmt: skip

    def uneven_rows(self, *kinds: str) -> Exact:
        """Median over matrices: variance of the rows' update ratios over the binomial one.

        Args:
            kinds: types of matrices, such as `q_proj`; all where none is named.
        """
        return self._uneven("row", lambda t: t.row_dispersion, kinds)

    def uneven_columns(self, *kinds: str) -> Exact:
        """Median over matrices: variance of the columns' update ratios over the binomial one.

        Args:
            kinds: types of matrices, such as `o_proj`; all where none is named.
        """
        return self._uneven("column", lambda t: t.column_dispersion, kinds)

    def _uneven(
        self, line: str, of: Callable[[TensorChange], float | None], kinds: Sequence[str]
    ) -> Exact:
        from rlvr_gate.weights.shapes import kind_of

        meant = [t for t in self.update.tensors if not kinds or kind_of(t.name) in kinds]
        known = [value for t in meant if (value := of(t)) is not None]
        named = f" of {', '.join(kinds)}" if kinds else ""
        return self._exact(
            f"{line} update ratios{named}: variance over chance",
            median(known) if known else None,
            Evidence(numbers={"matrices": len(known)}),
            f"no matrix{named} is changed in part",
            Unit.RATIO,
        )

    # Size and shape

    @cached_property
    def _moved(self) -> list[MatrixShape]:
        return [m for m in self.shapes.matrices if not m.unchanged]

    def _over(
        self,
        what: str,
        values: Iterable[float | None],
        by: Callable[[list[float]], float],
        unit: Unit = Unit.SHARE,
        numbers: Mapping[str, float | None] = {},
    ) -> Exact:
        known = [value for value in values if value is not None]
        counted = {"matrices": len(known), "layers left out": len(self.shapes.left_out)}
        return self._exact(
            what,
            by(known) if known else None,
            Evidence(numbers={**counted, **numbers}),
            "no measured matrix changed",
            unit,
        )

    def rank_share(self) -> Exact:
        """Mean of rank dW / min(m, n) (arXiv:2505.11711); rounding alone is full rank too."""
        moved = self._moved
        stable = {
            "stable rank, median": _middle(m.stable_rank for m in moved),
            "stable rank of rounding alone, median": _middle(m.null_stable_rank for m in moved),
            "effective rank, median": _middle(m.effective_rank for m in moved),
            "rank above rounding noise, median": _middle(m.signal_rank for m in moved),
        }
        shares = [m.rank / m.full_rank for m in moved]
        what = "rank of the update over full rank, mean"
        found = self._over(what, shares, fmean, numbers=stable)
        rank = self.update.adapter_rank
        if rank is None or self._reasons or not shares:
            return found
        why = (
            f"{self.role} is an adapter of rank {rank}: its update cannot have a higher one, "
            f"whatever was learned (it has {fmean(shares):.1%} of full rank)"
        )
        return self._exact(what, None, found.evidence, why)

    def spectral_shift(self) -> Exact:
        """Median normalised spectral shift (arXiv:2511.08567v1, fig. 4; arXiv:2606.07082v3)."""
        found = [m.nss for m in self._moved]
        what = "normalised spectral shift, median"
        return self._over(what, found, median, Unit.RATIO, {"largest": _most(found)})

    def rotation(self) -> Exact:
        """Largest principal angle, degrees, where the gap gamma_k exceeds ||dW||_2.

        Where it does not, directions swap across the cut at k however little was learned.
        """
        sound = [m.angle for m in self._moved if not m.ill_conditioned]
        absent = len(self._moved) - len(sound)
        found = self._over(
            "largest principal angle", sound, max, Unit.DEGREES,
            {"ill-conditioned matrices left out": absent,
             "largest of all": _most(m.angle for m in self._moved)},
        )  # fmt: skip
        if sound or self._reasons or not absent:
            return found
        why = f"||dW||_2 exceeds the gap gamma_k in all {absent} matrices: angles say nothing"
        what = "largest principal angle"
        return self._exact(what, None, found.evidence, why, Unit.DEGREES)

    def typical_rotation(self) -> Exact:
        """Median of the largest principal angle, degrees, over all matrices that changed."""
        found = [m.angle for m in self._moved]
        what = "largest principal angle, median"
        return self._over(what, found, median, Unit.DEGREES, {"largest": _most(found)})

    def low_beyond_rounding(self) -> Exact:
        """Overlap with the smallest weights, minus the larger of alpha and rounding's own."""
        return self._beyond("low", 1)

    def principal_beyond_rounding(self) -> Exact:
        """The smaller of alpha and rounding's own overlap with principal weights, minus the real.

        Positive: the update avoids principal weights more than rounding alone explains.
        """
        return self._beyond("principal", -1)

    def large_principal_beyond_rounding(self) -> Exact:
        """The same of principal weights that are not among the smallest."""
        return self._beyond("principal_not_low", -1)

    def _beyond(self, name: str, sign: int) -> Exact:
        """Pooled over matrices by their changed weights; less three sd of the null's pool."""
        changed = {t.name: t.parameters - t.unchanged_bf16 for t in self.update.tensors}
        found = [(m.name, mask) for m in self._moved for mask in m.masks if mask.mask == name]
        rows = [(changed.get(tensor, 0), mask) for tensor, mask in found]
        rows = [(n, m) for n, m in rows if m.overlap is not None and m.null_low is not None and n]
        what = f"overlap with {name.replace('_', ' ')} weights beyond chance and rounding"
        if not rows:
            return self._exact(what, None, absent="no rounding null: needs a bfloat16 base")
        share = _pooled(rows, lambda m: m.overlap)
        alpha = _pooled(rows, lambda m: m.density)
        null = _pooled(rows, lambda m: m.null_high if sign > 0 else m.null_low)
        whole = sum(n for n, _ in rows)
        sd = math.sqrt(sum((n / whole * (m.null_sd or 0.0)) ** 2 for n, m in rows))
        chance = max(alpha, null) if sign > 0 else min(alpha, null)
        return self._exact(
            what, sign * (share - chance) - 3 * sd,
            Evidence(numbers={"overlap": share, "alpha": alpha, "of rounding alone": null,
                              "sd of that": sd}),
        )  # fmt: skip

    def violations(self) -> Exact:
        """Matrices whose numbers contradict Weyl, Mirsky or Wedin: a fault of the numerics."""
        found = self.shapes.violations
        measured = bool(self.shapes.matrices or found)
        return self._exact(
            "matrices that contradict Weyl, Mirsky or Wedin",
            float(len(found)) if measured else None,
            Evidence(numbers={"matrices": len(self.shapes.matrices)}, violations=found),
            "no matrix was measured",
            Unit.COUNT,
        )

    # Against another update of the same base

    def shared_with(self, other: UpdateView) -> Exact:
        """Jaccard of the two update masks minus its random baseline p q / (p + q - p q)."""
        found = self.source.together().overlap(self.role, other.role)
        known = found.jaccard is not None and found.jaccard_random is not None
        excess = found.jaccard - found.jaccard_random if known else None  # type: ignore[operator]  # known
        numbers = {
            "jaccard": found.jaccard, "jaccard at random": found.jaccard_random, "o1": found.o1,
            "o1 at random": found.o1_random, "o2": found.o2, "o2 at random": found.o2_random,
            "z": found.z,
        }  # fmt: skip
        what, evidence = f"Jaccard above chance with {other.role}", Evidence(numbers=numbers)
        shown = self._exact(what, excess, evidence)
        return Exact(
            shown.label, shown.value, self.ledger, shown.evidence,
            (*shown.reasons, *other._reasons),
        )  # fmt: skip


def _middle(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(median(known)) if known else None


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _pooled(
    rows: Sequence[tuple[int, MaskShare]], value: Callable[[MaskShare], float | None]
) -> float:
    """Mean over matrices, weighted by their changed weights."""
    return sum(n * (value(mask) or 0.0) for n, mask in rows) / sum(n for n, _ in rows)
