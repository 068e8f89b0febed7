"""The seed's way: pandas reads the whole file, the pipeline predicts, pandas writes."""

import sys

import joblib
import pandas as pd
from places import delivered, fetched

folder, source, target = sys.argv[1:]
model = joblib.load(f"{folder}/model.joblib")
with fetched(source) as path:
    table = pd.read_csv(path)
table["prediction"] = model.predict(table[model.feature_names_in_])
with delivered(target) as path:
    table.to_csv(path, index=False)
