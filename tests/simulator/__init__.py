"""AWS on this machine: the template's stack on a simulator from PyPI, its functions as real processes.

ministack was chosen (November 2026): MIT, pure Python, no account, no Docker. It makes nearly every resource of the
template, keeps S3's conditional writes, checks signatures, roles and bucket policies, and delivers events itself.
moto stops at the template's roles (an AWS::NoValue in a list of policies), never delivers to a container image and
checks no permission of S3. LocalStack's package asks for an account and an image; fakecloud's holds only a client of
a server that is not on PyPI.
"""
