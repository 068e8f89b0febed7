"""Asks by MLflow's own client, in each of the forms it can write, and by the forms its command line reads."""

import json
import sys
from urllib.request import Request, urlopen

import numpy as np
import pandas as pd
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

asked = json.load(sys.stdin)
client = ScoringServerClient("127.0.0.1", asked["port"])
client.wait_server_ready(timeout=30)
table = pd.DataFrame(asked["rows"], columns=asked["columns"])
asked["records"] = [dict(zip(asked["columns"], row, strict=True)) for row in asked["rows"]]
forms = {
    "data frame": table,
    "list": asked["rows"],
    "records": json.dumps({"dataframe_records": asked["records"]}),
    "columns": json.dumps({"inputs": {name: [row[name] for row in asked["records"]] for name in asked["columns"]}}),
    "instances": json.dumps({"instances": asked["records"]}),
}
if asked["arrays"]:
    forms["array"] = np.array(asked["rows"])
answers = {
    name: client.invoke(data).get_predictions(predictions_format="ndarray").tolist() for name, data in forms.items()
}
csv = Request(  # noqa: S310 # always http
    f"{client.url_prefix}/invocations", table.to_csv(index=False).encode(), {"Content-Type": "text/csv"}
)
with urlopen(csv, timeout=30) as answer:  # noqa: S310 # as above; what the command line sends for a CSV
    answers["csv"] = json.load(answer)["predictions"]
try:
    client.invoke(table.assign(**{asked["columns"][0]: "x"}))
except Exception as error:
    refused = str(error)
json.dump({"version": client.get_version(), "answers": answers, "refused": refused}, sys.stdout)
