"""AWS on this machine: the template's stack on a simulator from PyPI, its functions as real processes.

ministack was chosen (1.5, November 2026): MIT, pure Python, no account, no Docker. It makes nearly every resource of
the template, keeps S3's conditional writes, checks signatures, roles and bucket policies, and delivers events itself.
moto (5.2) stops at the template's roles, an AWS::NoValue in their list of policies. LocalStack's open core had its last
release in March 2026 and brings far more packages; what fakecloud has on PyPI is the client of a server that is not.
"""
