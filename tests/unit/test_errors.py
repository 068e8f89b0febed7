import re

from functions import errors


def test_the_drawn_tree_is_the_tree() -> None:
    drawn = re.findall(r"[├└]── (\w+)(?: +(\d{3})  (\w+))?|^    (ServingError)$", errors.__doc__ or "", re.MULTILINE)
    told = {name or root: (status, code) for name, status, code, root in drawn}
    classes = {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.ServingError)
    }
    assert told.keys() == classes.keys()
    for name, (status, code) in told.items():
        if status:
            assert (classes[name].status, classes[name].code) == (int(status), code), name


def test_a_clients_mistake_is_never_a_5xx() -> None:
    for error in errors.RequestError.__subclasses__():
        assert 400 <= error.status < 500
