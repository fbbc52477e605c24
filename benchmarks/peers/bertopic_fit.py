"""BERTopic on given words and vectors, run by the interpreter that `make bertopic` sets up.

    PYTHON bertopic_fit.py GIVEN.json VECTORS.npy FITS.json

GIVEN.json: {"words": [[…] a text], "topics": 20, "runs": [{"seed": 0, "rows": […]} a fit]}; FITS.json gets one
{"words": [[…] a topic], "labels": [… a row], "seconds"} a fit. The settings are BERTopic's own (UMAP, HDBSCAN,
class-based TF-IDF), UMAP by the seed, topics merged to the number asked; words are taken as they are given.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

WORDS = 25
LANGUAGE = "multilingual"
"""As "english", its default, it would drop every letter that is not of the Latin alphabet."""


def fitted(texts: list[str], vectors: Any, topics: int, seed: int) -> dict[str, Any]:
    from bertopic import BERTopic
    from sklearn.feature_extraction.text import CountVectorizer
    from umap import UMAP

    started = time.process_time()
    umap = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed)
    vectorizer = CountVectorizer(analyzer=str.split)
    settings = {"nr_topics": topics + 1, "top_n_words": WORDS, "language": LANGUAGE}
    model = BERTopic(umap_model=umap, vectorizer_model=vectorizer, **settings)
    labels, _ = model.fit_transform(texts, vectors)
    told = [[word for word, _ in ranked if word] for number, ranked in model.get_topics().items() if number >= 0]
    return {"words": told, "labels": [int(label) for label in labels], "seconds": time.process_time() - started}


def main() -> None:
    given, vectors = json.loads(Path(sys.argv[1]).read_text("utf-8")), np.load(sys.argv[2])
    texts = [" ".join(words) for words in given["words"]]
    fits = [
        fitted([texts[k] for k in run["rows"]], vectors[run["rows"]], given["topics"], run["seed"])
        for run in given["runs"]
    ]
    Path(sys.argv[3]).write_text(json.dumps(fits), "utf-8")


if __name__ == "__main__":
    main()
