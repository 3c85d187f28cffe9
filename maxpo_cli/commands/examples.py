"""The examples that end the help of each command."""

EXAMPLES = {
    "compare": (
        "maxpo compare --policy bernoulli:p=0.05 -n 8 -k 4",
        "maxpo compare --policy gaussian:reward=quadratic --estimators l2o,ei",
        "maxpo compare --rewards answers.csv --where model=mine --out mine",
    ),
    "variance-sweep": (
        "maxpo variance-sweep --policy bernoulli --grid p=0.01:0.5:9:log --grid k=2,4",
        "maxpo variance-sweep --rewards answers.csv --grid model=a,b -n 8 -k 4",
        "maxpo variance-sweep --config results/mine/study.json --out again",
    ),
    "plot": (
        "maxpo plot results/mine",
        "maxpo plot results/mine --kind map --x p --y k --ratio l2o/ei",
        "maxpo plot results/mine --y mse --where k=4 --format pdf --width column",
    ),
    "estimators": (
        "maxpo estimators",
        "maxpo estimators --identities",
    ),
    "bench": (
        "maxpo bench -n 16,64 -k 4 --estimators l2o,ei",
        "maxpo bench --peer my_module:my_advantages",
    ),
}
"""Commands as they are typed, by the command."""


def examples(command: str) -> str:
    """The text that ends the help of a command, line by line."""
    return "\b\nExamples:\n" + "\n".join(f"  {example}" for example in EXAMPLES[command])
