"""Study records made by hand."""

from maxpo_cli.storage.study import StudyRecord

RECORD = StudyRecord(
    study="variance-sweep",
    spec={"policy": "bernoulli", "grid": {"p": "0.1,0.2", "k": "2,4"}, "estimators": ["l2o"]},
    source="bernoulli",
    parameters={"outcomes": "inf"},
    coordinates=("policy", "p", "n", "k"),
    cells=4,
    prompts=3,
    fewest_samples=100,
    plot=({"kind": "map"},),
    rewards_sha256="ab",
    device="cpu",
    versions={"maxpo": "0.1.0", "torch": "2.6"},
    created="2026-11-25T00:00:00+00:00",
    command_line=("maxpo", "variance-sweep"),
    seconds={"enumeration": 1.5},
    complete=True,
    table_sha256="cd",
)
