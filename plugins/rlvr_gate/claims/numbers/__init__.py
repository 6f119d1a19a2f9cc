"""Numbers that a claim can ask of samples: one file each, listed here.

`numbers.cover_at(pair.rlvr, benchmark, tau=0.5)` is a quantity like any other: compare it. What a
file says is `shown` has a row in every report, base beside rlvr.
"""

from rlvr_gate.claims.forgetting.law import divergence_predicts_forgetting
from rlvr_gate.claims.forgetting.matched import forgets_less
from rlvr_gate.claims.numbers.answers import answer_entropy
from rlvr_gate.claims.numbers.cover import cover_at
from rlvr_gate.claims.numbers.number import PerProblem
from rlvr_gate.claims.numbers.overtaking import overtaking_budget
from rlvr_gate.claims.numbers.reach import within_reach
from rlvr_gate.claims.numbers.rebound import expansion_beyond_rebound
from rlvr_gate.claims.numbers.regime import stable_regime
from rlvr_gate.claims.numbers.reliable import least_cover_gain
from rlvr_gate.claims.numbers.sizes import gain_at_largest, gain_fades
from rlvr_gate.claims.numbers.solved_over import solved_over
from rlvr_gate.claims.numbers.tasks import out_of_reach, start_against_gain
from rlvr_gate.claims.numbers.trend import along, trend
from rlvr_gate.claims.profile.looks import looks_like
from rlvr_gate.claims.robust.calculator import gain_with_calculator
from rlvr_gate.claims.robust.clean import stands_when_clean
from rlvr_gate.claims.robust.direct import agrees_without_guessed
from rlvr_gate.claims.robust.recited import recited
from rlvr_gate.claims.robust.templates import keeps_under_templates
from rlvr_gate.claims.robust.variants import keeps_gain
from rlvr_gate.claims.temperatures.hull import hull, hull_curves
from rlvr_gate.claims.temperatures.matched import gain_as_unsure
from rlvr_gate.claims.texts.creativity import creativity, creativity_against_gain
from rlvr_gate.claims.texts.traces import less_at_home
from rlvr_gate.claims.tokens.chosen import chosen_otherwise, considered, hesitation
from rlvr_gate.claims.tracking import weights_track_kernel
from rlvr_gate.claims.ways.methods import MARKS, how, whether
from rlvr_gate.claims.ways.shares import by_choice, by_reliability

NUMBERS: tuple[PerProblem, ...] = (cover_at, solved_over)

__all__ = [
    "MARKS",
    "NUMBERS",
    "PerProblem",
    "agrees_without_guessed",
    "along",
    "answer_entropy",
    "by_choice",
    "by_reliability",
    "chosen_otherwise",
    "considered",
    "cover_at",
    "creativity",
    "creativity_against_gain",
    "divergence_predicts_forgetting",
    "expansion_beyond_rebound",
    "forgets_less",
    "gain_as_unsure",
    "gain_at_largest",
    "gain_fades",
    "gain_with_calculator",
    "hesitation",
    "how",
    "hull",
    "hull_curves",
    "keeps_gain",
    "keeps_under_templates",
    "least_cover_gain",
    "less_at_home",
    "looks_like",
    "out_of_reach",
    "overtaking_budget",
    "recited",
    "solved_over",
    "stable_regime",
    "stands_when_clean",
    "start_against_gain",
    "trend",
    "weights_track_kernel",
    "whether",
    "within_reach",
]
