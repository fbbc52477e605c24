"""Reviews whose mood is planted: made of words that tell it and words that do not."""

import numpy as np
from numpy.typing import NDArray

GOOD = ["great", "lovely", "perfect", "喜欢", "满意", "😍"]
BAD = ["awful", "broken", "refund", "垃圾", "失望", "😡"]
PLAIN = ["the", "shirt", "arrived", "today", "blue", "size", "手机", "收到", "颜色", "快递", "一件", "box"]


def reviews(count: int, seed: int = 0, *, neutral: bool = False) -> tuple[list[str], NDArray[np.int8]]:
    """`count` texts and their signs; a neutral one holds plain words alone."""
    random = np.random.default_rng(seed)
    signs = random.choice([-1, 0, 1] if neutral else [-1, 1], count).astype(np.int8)
    texts = []
    for sign in signs:
        words = list(random.choice(PLAIN, 6))
        if sign:
            words.insert(int(random.integers(7)), str(random.choice(GOOD if sign > 0 else BAD)))
        texts.append(" ".join(words))
    return texts, signs
