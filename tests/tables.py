"""Tables to train on, as CSV files: those that scikit-learn ships, mixed ones with gaps, a wide one."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

SEED = 7


def customers(path: Path, rows: int = 300) -> Path:
    """Numbers, booleans, texts, dates, ids; gaps in some, and a few rows without the target."""
    random = np.random.default_rng(SEED)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(
            ["customer_id", "joined", "age", "income", "city", "plan", "newsletter", "remark", "country", "stays"]
        )
        for number in range(rows):
            age, income = int(random.integers(18, 80)), random.normal(4000, 1200)
            city, plan = (
                random.choice(["Bern", "Genf", "Zürich", "Basel, Stadt"]),
                random.choice(["free", "plus", "pro"]),
            )
            newsletter = bool(random.integers(0, 2))
            merit = (age - 45) / 20 + (income - 4000) / 1500 + {"free": -0.8, "plus": 0.2, "pro": 0.9}[str(plan)]
            stays = "yes" if merit + random.normal(0, 0.5) > 0 else "no"
            out.writerow([
                f"C{number:05d}",
                f"20{10 + number % 15}-{1 + number % 12:02d}-{1 + number % 28:02d}",
                age,
                "" if number % 11 == 3 else f"{income:.2f}",
                "NA" if number % 17 == 5 else city,
                plan,
                "" if number % 23 == 7 else str(newsletter).lower(),
                f"called on day {number} about the bill",
                "CH",
                "" if number % 97 == 50 else stays,
            ])  # fmt: skip
    return path


def rents(path: Path, rows: int = 240) -> Path:
    """The same kinds of columns, and a price to predict."""
    random = np.random.default_rng(SEED)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["rooms", "area", "lift", "heating", "rent"])
        for number in range(rows):
            rooms, lift = int(random.integers(1, 6)), bool(random.integers(0, 2))
            area, heating = rooms * 22 + random.normal(0, 6), random.choice(["oil", "gas", "pump"])
            rent = 300 + 14 * area + 90 * lift + {"oil": 0, "gas": 40, "pump": 110}[str(heating)] + random.normal(0, 60)
            out.writerow([rooms, f"{area:.1f}" if number % 9 else "", str(lift), heating, f"{rent:.2f}"])
    return path


def wide(path: Path, rows: int = 120, columns: int = 500) -> Path:
    """Many numbers, few of which tell anything."""
    random = np.random.default_rng(SEED)
    numbers = random.normal(size=(rows, columns))
    told = numbers[:, :5].sum(axis=1) > 0
    return written(
        path, [f"x{place}" for place in range(columns)], numbers, np.where(told, "up", "down").tolist(), "way"
    )


def written(path: Path, names: Sequence[str], numbers: Any, target: Sequence[Any], called: str) -> Path:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow([*names, called])
        out.writerows([*map(repr, row), truth] for row, truth in zip(numbers.tolist(), target, strict=True))
    return path


def shipped(load: Callable[[], Any], path: Path, called: str) -> Path:
    """A table of scikit-learn's; classes by their names."""
    data = load()
    names = [str(name).replace(" ", "_") for name in data.feature_names]
    target = data.target_names[data.target] if hasattr(data, "target_names") else data.target
    return written(path, names, data.data, list(target), called)


TABLES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "iris": (lambda path: shipped(load_iris, path, "species"), "species"),
    "cancer": (lambda path: shipped(load_breast_cancer, path, "diagnosis"), "diagnosis"),
    "wine": (lambda path: shipped(load_wine, path, "cultivar"), "cultivar"),
    "diabetes": (lambda path: shipped(load_diabetes, path, "progression"), "progression"),
    "customers": (customers, "stays"),
    "rents": (rents, "rent"),
    "wide": (wide, "way"),
}
"""Each with its target."""
