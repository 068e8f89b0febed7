"""The same for files that do not fit in memory: pandas in chunks."""

import sys

import joblib
import pandas as pd
from places import delivered, fetched

ROWS = 100_000

folder, source, target = sys.argv[1:]
model = joblib.load(f"{folder}/model.joblib")
with fetched(source) as path, delivered(target) as output, open(output, "w", newline="") as file:
    for number, chunk in enumerate(pd.read_csv(path, chunksize=ROWS)):
        chunk["prediction"] = model.predict(chunk[model.feature_names_in_])
        chunk.to_csv(file, index=False, header=number == 0)
