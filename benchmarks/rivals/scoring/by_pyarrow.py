"""pyarrow reads block by block, the ONNX model predicts, pyarrow writes the block before meanwhile."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
from pyarrow import csv, fs
from twin import Twin

BLOCK = 4 << 20

folder, source, target = sys.argv[1:]
model = Twin(folder)
labels = pa.array(model.labels)


def scored(batch):
    numbers = np.column_stack([batch.column(name) for name in model.numbers])
    texts = None
    if model.texts:
        texts = np.column_stack([batch.column(name).to_numpy(zero_copy_only=False) for name in model.texts])
    return batch.append_column("prediction", labels.take(pa.array(model.classes(numbers, texts))))


def opened(place):
    if not place.startswith("s3://"):
        return fs.LocalFileSystem(), place
    return fs.S3FileSystem(endpoint_override=os.environ.get("AWS_ENDPOINT_URL")), place.removeprefix("s3://")


def stream(place, how):
    system, path = opened(place)
    return getattr(system, how)(path)


types = dict.fromkeys(model.numbers, pa.float64())
with (
    stream(source, "open_input_stream") as file,
    csv.open_csv(
        file,
        csv.ReadOptions(block_size=BLOCK),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(column_types=types),
    ) as batches,
    stream(target, "open_output_stream") as output,
    csv.CSVWriter(
        output,
        batches.schema.append(pa.field("prediction", pa.string())),
        write_options=csv.WriteOptions(quoting_style="needed"),
    ) as writer,
    ThreadPoolExecutor(1) as other,
):
    writing = None
    for batch in batches:
        answered = scored(batch)
        if writing:
            writing.result()
        writing = other.submit(writer.write, answered)
    if writing:
        writing.result()
