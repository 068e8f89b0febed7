"""The plain handler, as the tutorials have it: boto3 fetches the pickle, joblib loads it, pandas holds the rows."""

import io
import json
import os

import boto3
import joblib
import pandas as pd

s3 = boto3.client("s3")
body = s3.get_object(Bucket=os.environ["BUCKET"], Key=os.environ["KEY"])["Body"].read()
model = joblib.load(io.BytesIO(body))


def handler(event, context):
    rows = pd.DataFrame(json.loads(event["body"])["instances"], columns=model.feature_names_in_)
    return {"statusCode": 200, "body": json.dumps({"predictions": model.predict(rows).tolist()})}
