"""Infers by tritonclient; says the outputs as numpy holds them, or the error as the client raises it."""

import json
import sys

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

asked = json.load(sys.stdin)
inputs = []
for name, datatype, data in asked["inputs"]:
    array = np.array(data, dtype=triton_to_np_dtype(datatype))
    tensor = InferInput(name, list(array.shape), datatype)
    tensor.set_data_from_numpy(array, binary_data=asked["binary"])
    inputs.append(tensor)
outputs = [InferRequestedOutput(name, binary_data=asked["binary"]) for name in asked["outputs"]]
with InferenceServerClient(asked["address"]) as client:
    try:
        result = client.infer(
            asked["model"],
            inputs,
            asked["version"],
            outputs or None,
            request_id=asked["id"],
            request_compression_algorithm=asked["compression"],
            response_compression_algorithm=asked["compression"],
        )
    except InferenceServerException as error:
        found = {"status": error.status(), "message": error.message()}
    else:
        answer = result.get_response()
        arrays = {each["name"]: result.as_numpy(each["name"]) for each in answer["outputs"]}
        found = {
            "id": answer.get("id", ""),
            "model": [answer["model_name"], answer["model_version"]],
            "outputs": {name: [array.dtype.kind, array.tolist()] for name, array in arrays.items()},
        }
json.dump(found, sys.stdout)
