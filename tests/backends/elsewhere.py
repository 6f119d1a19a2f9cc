"""Tensors that say they are on a GPU, computed on the CPU: they find mistakes about devices.

A wrapped tensor shows device `cuda` (to torch's own code it is `meta`, which asks for no driver)
and has its numbers in a CPU tensor inside. As on a real GPU, an operation on tensors of both
devices raises, but for those that torch allows (a copy from one to the other, CPU indexes, CPU
numbers without a dimension), and `numpy()` needs `cpu()` first. No driver and no CUDA build of
torch is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map_only

GPU = torch.device("cuda")
_ACROSS = ("copy_", "_to_copy", "__getitem__", "__setitem__", "index.Tensor", "index_put")
"""Operations that take tensors of both devices."""


class WrongDevice(RuntimeError):
    """What CUDA would have refused."""


class Elsewhere(torch.Tensor):
    """A tensor on the GPU that is none."""

    inside: torch.Tensor

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return GPU

    @property
    def is_meta(self) -> bool:  # type: ignore[override]
        return False

    @staticmethod
    def __new__(cls, inside: torch.Tensor) -> Elsewhere:
        made = torch.Tensor._make_wrapper_subclass(
            cls, inside.size(), strides=inside.stride(), dtype=inside.dtype, device="meta",
            storage_offset=inside.storage_offset(), requires_grad=False,
        )  # fmt: skip
        made.inside = inside
        return made

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return f"Elsewhere({self.inside!r})"

    @classmethod
    def __torch_dispatch__(
        cls, func: Callable[..., Any], types: object, args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        _check(str(func), (args, kwargs))
        given, named = _inside((args, dict(kwargs or {})))
        if named.get("device") is not None:
            named["device"] = torch.device("cpu")
        return _elsewhere(func(*given, **named))


class Gpu(TorchFunctionMode):
    """Within it `device="cuda"` makes such tensors, and functions run on what is inside them."""

    def __torch_function__(
        self, func: Callable[..., Any], types: object, args: Any = (), kwargs: Any = None
    ) -> Any:
        named, name = dict(kwargs or {}), getattr(func, "__name__", "")
        if name in ("to", "cpu", "cuda"):
            return _moved(name, args, named)
        if func in _OF_LEAVES:
            return _elsewhere(func(*_inside(args)))
        if name in ("__get__", "__set__"):
            return func(*args, **named)
        if name in _HOOKING and isinstance(args[0], Elsewhere):
            return func(args[0].inside, partial(_heard, args[0], args[1], name))
        device = named.get("device")
        asked = None if device is None else torch.device(device).type == "cuda"
        there = any(isinstance(leaf, Elsewhere) for leaf in tree_leaves((args, named)))
        if name == "numpy" and there:
            raise WrongDevice("can't convert cuda tensor to numpy: use cpu() first")
        if not there and not asked:
            return func(*args, **named)
        _check(name, (args, named))
        inner = _inside(named) | ({} if device is None else {"device": "cpu"})
        made = func(*_inside(args), **inner)
        return made if asked is False else _elsewhere(made)


_OF_LEAVES = [getattr(torch.Tensor, of).__get__ for of in ("grad", "requires_grad")] + [
    torch.Tensor.grad.__set__  # type: ignore[attr-defined]  # a slot
]
"""What autograd knows of the tensor inside, where its graph is."""
_HOOKING = ("register_hook", "register_post_accumulate_grad_hook")


def _heard(whose: Elsewhere, call: Callable[[Any], Any], name: str, given: torch.Tensor) -> None:
    """A hook of the tensor inside, called as one of the tensor itself would be."""
    with Gpu():  # within a backward pass it has been left
        call(Elsewhere(given) if name == "register_hook" else whose)


def _moved(name: str, args: Any, named: dict[str, Any]) -> Any:
    tensor, *rest = args
    if isinstance(tensor, torch.nn.Module):
        raise WrongDevice("use on_gpu(model)")
    target: Any = {"cpu": torch.device("cpu"), "cuda": GPU}.get(name)
    other = []
    for each in [*rest, named.pop("device", None)]:
        if isinstance(each, str | torch.device):
            target = torch.device(each)
        elif isinstance(each, torch.Tensor):
            target, other = each.device, [*other, each.dtype]
        elif each is not None:
            other.append(each)
    inside = tensor.inside if isinstance(tensor, Elsewhere) else tensor
    moved = inside.to(*other, **named) if other or named else inside
    there = target or tensor.device
    return Elsewhere(moved) if there.type == "cuda" else moved


def _check(name: str, given: Any) -> None:
    tensors = [leaf for leaf in tree_leaves(given) if isinstance(leaf, torch.Tensor)]
    here = [t for t in tensors if not isinstance(t, Elsewhere) and t.dim()]
    if here and len(here) < len(tensors) and not any(word in name for word in _ACROSS):
        raise WrongDevice(f"{name}: expected all tensors to be on the same device")


def _inside(given: Any) -> Any:
    return tree_map_only(Elsewhere, lambda each: each.inside, given)


def _elsewhere(made: Any) -> Any:
    return tree_map_only(torch.Tensor, Elsewhere, made)


@contextmanager
def a_gpu(*models: torch.nn.Module, learning: bool = False) -> Iterator[None]:
    """Within it models are on the GPU that is none; where they are learning, with gradients."""
    moved: dict[int, tuple[torch.Tensor, torch.nn.Parameter]] = {}
    for model in models:
        for module in model.modules():
            for name, tensor in module._parameters.items():
                if tensor is not None:
                    if id(tensor) not in moved:  # else tied
                        moved[id(tensor)] = tensor, _parameter(tensor, learning)
                    module._parameters[name] = moved[id(tensor)][1]
            for name, tensor in module._buffers.items():
                if tensor is not None:
                    module._buffers[name] = Elsewhere(tensor)
    with Gpu(), nullcontext() if learning else torch.no_grad():
        yield


def _parameter(tensor: torch.Tensor, learning: bool) -> torch.nn.Parameter:
    made = torch.nn.Parameter(Elsewhere(tensor.detach()), requires_grad=False)
    made.inside = tensor.detach().requires_grad_(learning)
    return made
