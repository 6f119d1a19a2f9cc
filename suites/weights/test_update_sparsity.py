"""Do the weight updates look like RL?"""

import pytest

from rlvr_gate import claim


@claim(
    "the update is sparse: at least 36 % of the weights are unchanged in bfloat16",
    id="W1",
    source="arXiv:2511.08567 tab. 1; arXiv:2505.11711",
)
def test_update_is_sparse(pair):
    assert pair.rlvr.unchanged_since(pair.base) >= 0.36


@claim(
    "RLVR leaves more weights unchanged than supervised fine-tuning does",
    id="W1-sft",
    source="arXiv:2511.08567 tab. 1",
)
@pytest.mark.roles("sft")
def test_update_is_sparser_than_sft(pair):
    sft = pair.role("sft")
    assert pair.rlvr.unchanged_since(pair.base) > sft.unchanged_since(pair.base)
