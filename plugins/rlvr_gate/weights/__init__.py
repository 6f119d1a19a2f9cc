"""What the update did to the weights: two checkpoints compared, streamed from safetensors."""

from rlvr_gate.weights.compare import TensorChange, Update, WeightsError, compare
from rlvr_gate.weights.layout import LayoutError

__all__ = ["LayoutError", "TensorChange", "Update", "WeightsError", "compare"]
