"""SHA-256 of an artifact, without OpenSSL where it need not be loaded. It knows no store."""

LARGE = 4 * 1024 * 1024  # bytes from which OpenSSL, once loaded, is sooner done


def sha256(body: bytes) -> str:
    """In lower-case hex. `hashlib` takes 3 to 8 ms and 5 MB to import; a small body goes to the interpreter's own."""
    if len(body) < LARGE:
        try:
            from _sha2 import sha256 as own  # type: ignore[import-not-found] # CPython's, since 3.12; it has no stubs
        except ImportError:
            pass
        else:
            return str(own(body).hexdigest())
    from hashlib import sha256 as openssl

    return openssl(body).hexdigest()
