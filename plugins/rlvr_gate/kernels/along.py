"""How much of an update lies along the leading directions of a kernel, in weight space.

With gradients ``J`` (probes, weights), ``J J' = U diag(lambda) U'``, the k-th direction among the
weights is ``v_k = J' u_k / sqrt(lambda_k)``, so that ``<v_k, dW> = u_k' (J dW) / sqrt(lambda_k)``:
the products ``J dW`` of every probe are all that is needed, never J itself.
"""

from __future__ import annotations

import numpy as np

from rlvr_gate.kernels.spectrum import Floats, KernelError, spectrum

_NEGLIGIBLE = 1e-6  # of the largest eigenvalue: what float32 gradients cannot tell from nothing


def share_along(kernel: Floats, products: Floats, size: float) -> Floats:
    """Share of ``|dW|^2`` within the first 1, 2, … directions, (directions,), ascending.

    A random update has ``k / weights`` of itself in k directions.

    Args:
        kernel: (probes, probes).
        products: ``<df_i/dtheta, dW>``, (probes,).
        size: ``|dW|``.

    Raises:
        KernelError: the kernel is none, or there is no update.
    """
    if not size > 0:
        raise KernelError(f"an update has a size, got {size}")
    found = spectrum(kernel)
    kept = found.values > _NEGLIGIBLE * found.values[0]
    within = (found.vectors.T @ products)[kept] ** 2 / found.values[kept]
    return np.asarray(np.minimum(np.cumsum(within) / size**2, 1.0))
