"""What the documents and the chart call a contestant, where that is not its name in the results. It knows no figure."""

IN_DOCUMENTS = {"seed": "pandas, all at once"}


def in_documents(name: str) -> str:
    return IN_DOCUMENTS.get(name, name)
