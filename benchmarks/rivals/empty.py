"""The floor: a handler that does nothing, so that what is measured is Python, awslambdaric and the Runtime API."""


def handler(event, context):
    return {"statusCode": 200, "body": "{}"}
