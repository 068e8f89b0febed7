"""The machine room: Lambda, API Gateway and bucket notifications on one machine; for development only."""
