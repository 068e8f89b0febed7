"""The table of docs/security.md: what each role may do, read off the translated template."""

from typing import Any

from tests.documents import stack
from tests.documents.marked import DOCS, code, table

DOCUMENT = DOCS / "security.md"


def permissions() -> str:
    """A table for each role: actions, on what, under which condition; and who may take the role."""
    made = []
    for role in stack.roles():
        properties = stack.whole().properties(role)
        (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
        made_where = stack.condition(stack.template()["Resources"][role])
        where = f" Only where {made_where}." if made_where else ""
        rows = [_row(there, statement) for there, statement in stack.statements(role)]
        made.append(
            f"### {role}\n\nTaken by {code(_principal(trust))}.{where}\n\n" + table(["May", "On", "Where"], rows)
        )
    return "\n".join(made)


PARTS = {"permissions": permissions}


def _row(there: str, statement: dict[str, Any]) -> list[str]:
    may = {"Allow": "", "Deny": "not "}[statement["Effect"]]
    on = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    return [
        may + ", ".join(map(code, stack.actions(statement))),
        ", ".join(code(stack.named(one)) if one != "*" else "everything: the service knows no other" for one in on),
        "; ".join(filter(None, [there, *(_condition(*one) for one in statement.get("Condition", {}).items())])),
    ]


def _condition(operator: str, asked: dict[str, Any]) -> str:
    words = {"StringLike": "is like", "StringEquals": "is", "Bool": "is", "ArnLike": "is like", "ArnEquals": "is"}
    told = []
    for name, values in asked.items():
        several = values if isinstance(values, list) else [values]
        told.append(f"{code(name)} {words[operator]} {' or '.join(map(code, several))}")
    return " and ".join(told)


def _principal(trust: dict[str, Any]) -> str:
    return str(trust["Principal"]["Service"])
