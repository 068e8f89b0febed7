"""One drop through the batch door, as a process of its own: `python -m benchmarks.batch.drop <bucket> <key>`.

It is what a function instance does for its first event: import the door, load the model, score.
"""

import sys

from functions.batch import handler

if __name__ == "__main__":
    bucket, key = sys.argv[1:]
    record = {"eventSource": "aws:s3", "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}
    record |= {"eventName": "ObjectCreated:Put", "eventVersion": "2.1", "awsRegion": "us-east-1"}
    done = handler({"Records": [record]}, None)["records"]
    if [each["status"] for each in done] != ["scored"]:
        sys.exit(f"the drop was not scored: {done}")
