"""The plain handler by somebody who left pandas out: the same fetch and the same load, lists instead of a table."""

import io
import json
import os

import boto3
import joblib

s3 = boto3.client("s3")
body = s3.get_object(Bucket=os.environ["BUCKET"], Key=os.environ["KEY"])["Body"].read()
model = joblib.load(io.BytesIO(body))


def handler(event, context):
    rows = json.loads(event["body"])["instances"]
    return {"statusCode": 200, "body": json.dumps({"predictions": model.predict(rows).tolist()})}
