"""polars scans the file, the ONNX model predicts, polars writes; all of it streams, on all processors."""

import os
import sys

import polars as pl
from twin import Twin

folder, source, target = sys.argv[1:]
model = Twin(folder)
labels = pl.Series(model.labels)


def scored(table):
    texts = table.select(model.texts).to_numpy() if model.texts else None
    classes = model.classes(table.select(pl.col(model.numbers).cast(pl.Float64)).to_numpy(), texts)
    return table.with_columns(labels.gather(classes).alias("prediction"))


endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
storage = {"aws_endpoint_url": endpoint, "aws_allow_http": "true"} if endpoint else None
table = pl.scan_csv(source, storage_options=storage)
schema = dict(table.collect_schema()) | {"prediction": pl.String}
table.map_batches(scored, streamable=True, schema=schema).sink_csv(target, storage_options=storage)
