"""Hostile inputs of `maxpo`: command lines, and the files that they name."""

import gzip
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hypothesis import strategies as st

from maxpo_cli import compare, sweep
from maxpo_cli.storage.folder import STUDY, TABLE

ESTIMATORS = ("l2o", "ei", "pkpo", "pkpo-loo", "canonical", "rloo", "oracle", "best-mix", "all")
NUMBERS = (
    "0", "1", "2", "3", "4", "8", "0.5", "0.1", "0.9", "1.0", "1e0", "-1", "-0.0", "nan", "inf",
    "1e-300", "1e308", "1e-11", "0.9999999999999999", "1e5", "0x10", "1_0", "٣", "+2", "9" * 400,
    "9" * 5000, "1e400", "True",
)  # fmt: skip
TEXTS = (
    "", " ", "[/b]", "[red]x", "\x1b[31mred", "\x9b2J", "a\nb", "a\rb", "$_^$", r"\frac{", "数学",
    "\u202eabc", "\udcff", "\ud800", "../../x", "/nowhere/x", "a,b", "a=b", "a:b", "%s%n", "{x}",
    "a" * 300, "-", "--", "'", '"', "\x7f", "NA", "null", "e\u0301", "🎲", "~", ".", "..", "\x85",
)  # fmt: skip


@dataclass(frozen=True)
class Example:
    """A command line and the files that it finds."""

    arguments: list[str]
    files: dict[str, bytes] = field(default_factory=dict)


number = st.sampled_from(NUMBERS)
text = st.sampled_from(TEXTS) | st.text(st.characters(exclude_characters="\0"), max_size=8)
value = number | number | text


def mostly(*valid: str) -> st.SearchStrategy[str]:
    """A value that is right, and now and then a hostile one."""
    return st.integers(0, 5).flatmap(lambda dice: st.sampled_from(valid) if dice else value)


POLICY_KEYS = {
    "bernoulli": {"p": mostly("0.1", "0.5", "1e-9", "1", "0"), "outcomes": mostly("1", "inf", "3")},
    "categorical": {
        "rewards": mostly("0/1", "0/1/2", "1/1", "-1/1e9"), "probs": mostly("0.5/0.5", "0.1/0.9"),
        "p": mostly("0.3"), "outcomes": mostly("1", "inf", "1/2"), "norms": mostly("1/2", "0/0"),
    },
    "gaussian": {
        "mean": mostly("0", "1", "1e6"), "std": mostly("1", "0.01", "1e-11", "1e9"),
        "reward": mostly("exp", "identity", "quad-sin", "threshold", "quadratic"),
        "learn": mostly("mean", "mean+log_std", "log_std"), "dim": mostly("1", "3"),
        "c": mostly("1", "100"), "a": mostly("1"), "f": mostly("3", "30"),
    },
}  # fmt: skip


@st.composite
def specs(draw: st.DrawFn) -> str:
    """Specs of policies, many of them wrong somewhere."""
    name = draw(st.sampled_from(list(POLICY_KEYS)))
    known = POLICY_KEYS[name]
    chosen = draw(st.lists(st.sampled_from(list(known)), max_size=3, unique=True))
    items = [f"{key}={draw(known[key])}" for key in chosen]
    if draw(st.integers(0, 7)) == 0:
        items.append(draw(text) + "=" + draw(value))
        name = draw(st.just(name) | text)
    return f"{name}:{','.join(items)}" if items or draw(st.booleans()) else name


counts = mostly("1", "2", "3", "0", "-1", "1000000000")
ranges = st.tuples(mostly("0.1", "1"), mostly("0.9", "3"), counts).map(":".join)
grid_values = st.lists(mostly("0.1", "2", "3"), max_size=3).map(",".join) | ranges
grid_items = st.tuples(
    mostly("p", "k", "n", "std", "outcomes", "prompt"), grid_values | ranges.map("{}:log".format)
).map("=".join)
estimators = st.lists(mostly(*ESTIMATORS), max_size=3).map(",".join)


def options(of: dict[str, st.SearchStrategy[str]]) -> st.SearchStrategy[list[str]]:
    """A few of these options with their values."""
    pairs = st.sampled_from(list(of)).flatmap(lambda name: st.tuples(st.just(name), of[name]))
    return st.lists(pairs, max_size=3).map(lambda found: [part for pair in found for part in pair])


def one_of_column(*columns: str) -> st.SearchStrategy[str]:
    """A condition COLUMN=VALUE."""
    return st.tuples(mostly(*columns), mostly("a", "0.1", "2")).map("=".join)


STUDY_OPTIONS: dict[str, st.SearchStrategy[str]] = {
    "--policy": specs(), "--estimators": estimators, "-n": mostly("3", "4", "6"),
    "-k": mostly("1", "2", "3"), "--groups": mostly("2", "64"), "--dtype": mostly("float32"),
    "--engine": mostly("auto", "monte-carlo", "threshold", "enumeration"),
    "--until-rel-error": mostly("0.1"), "--rtol": mostly("1e-3"), "--seed": mostly("1", "7"),
    "--device": mostly("cpu", "cuda"), "--reference": mostly(*ESTIMATORS),
    "--group-column": mostly("prompt"), "--reward-column": mostly("reward"),
    "--where": one_of_column("prompt"), "--config": value, "--rewards": value,
}  # fmt: skip
PLOT_OPTIONS: dict[str, st.SearchStrategy[str]] = {
    "--kind": mostly("lines", "map", "centering", "comparison", "bench", "auto"),
    "--x": mostly("p", "k", "n"), "--y": mostly("snr/n", "variance", "relative_bias", "k"),
    "--col": mostly("k", "p"), "--row": mostly("k", "n"), "--estimators": estimators,
    "--ratio": mostly("ei/l2o", "pkpo/ei"), "--where": one_of_column("p", "k", "policy"),
    "--format": mostly("svg", "pdf"),
}  # fmt: skip
FLAGS = st.lists(st.sampled_from(["--json", "-q", "--overwrite", "--help"]), max_size=2)
RESERVED = ("/", "../../..")
"""How no folder to write into begins, so that all stay in the folders of the example."""

OUT = st.sampled_from(["here", "here", "here", "a/b", "here/", "/dev/null/x"]) | text.filter(
    lambda path: bool(path) and not path.startswith(RESERVED)
)

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text
    | st.sampled_from([2, 4, "0.5", 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
CONFIG_VALUES: dict[str, tuple[Any, ...]] = {
    "policy": ("bernoulli:p=0.5", "gaussian"), "rewards": ("c.toml",), "n": (4, "4", 4.0),
    "k": (2, "2"), "estimators": ("l2o", ["l2o", "ei"], "all"), "engine": ("auto", "monte-carlo"),
    "groups": (64,), "seed": (1,), "dtype": ("float32",), "rtol": (1e-3,), "reference": ("l2o",),
    "where": (["a=b"],), "json": (True, False), "quiet": (True,), "device": ("cpu",),
    "grid": ({"p": [0.1, 0.5]}, {"k": "1:3:3"}, ["k=1,2"], {"probs": "0.5/0.5"}),
    "plot": ([{"kind": "lines"}], [{"kind": "map", "x": "p"}], [{}]),
    "peer": ("os:getcwd", []), "workers": (1,), "out": ("there",), "overwrite": (True,),
}  # fmt: skip


@st.composite
def settings_of_config(draw: st.DrawFn) -> dict[str, Any]:
    """Keys and values of a config, some of them hostile."""
    keys = draw(st.lists(st.sampled_from(list(CONFIG_VALUES)), max_size=3, unique=True))
    found: dict[str, Any] = {key: draw(st.sampled_from(CONFIG_VALUES[key])) for key in keys}
    if draw(st.integers(0, 2)) == 0:
        found[draw(st.sampled_from(list(CONFIG_VALUES)) | text)] = draw(json_values)
    return found


def toml(value: Any) -> str:
    """A value as TOML has it, as near as it comes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return {None: "none"}.get(value) or (
        repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
    )


ENDLESS = (b"n = " + b"[" * 2000, b"n = " + b"9" * 5000, b"n = 0x" + b"f" * 5000)


@st.composite
def configs(draw: st.DrawFn) -> bytes:
    """TOML files, some of them damaged or nested without end."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(ENDLESS))
    found = draw(settings_of_config())
    lines = [f"{json.dumps(key)} = {toml(value)}" for key, value in found.items()]
    return draw(damaged("\n".join(lines).encode("utf-8", "surrogatepass")))


@st.composite
def damaged(draw: st.DrawFn, contents: bytes) -> bytes:
    """Contents, of which often a part is lost or replaced."""
    if draw(st.integers(0, 2)) or not contents:
        return contents
    start = draw(st.integers(0, len(contents)))
    stop = draw(st.integers(start, min(len(contents), start + 40)))
    return contents[:start] + draw(st.binary(max_size=6)) + contents[stop:]


@cache
def results() -> dict[str, dict[str, bytes]]:
    """Small results of a comparison and a sweep: their files by name."""
    found = {}
    for name, result in {
        "compare": compare(policy="bernoulli:p=0.2", n=4, k=2, estimators="l2o,ei", device="cpu"),
        "variance-sweep": sweep(
            policy="bernoulli", grid={"p": "0.1,0.5", "k": "2,3"}, n=4, estimators="l2o,ei,pkpo",
            device="cpu",
        ),
    }.items():  # fmt: skip
        found[name] = {
            TABLE: result.table.to_csv(index=False, lineterminator="\n").encode(),
            STUDY: json.dumps(result.study.to_json()).encode(),
        }
    return found


@st.composite
def result_files(draw: st.DrawFn) -> dict[str, bytes]:
    """The files of a result with a hostile cell or value, or with damaged bytes."""
    files = dict(results()[draw(st.sampled_from(["compare", "variance-sweep"]))])
    kind = draw(st.sampled_from(["cell", "cell", "value", "bytes", "lost"]))
    if kind == "cell":
        rows = [line.split(",") for line in files[TABLE].decode().splitlines()]
        row = rows[draw(st.integers(0, len(rows) - 1))]
        row[draw(st.integers(0, len(row) - 1))] = draw(value)
        table = "\n".join(map(",".join, rows)) + "\n"
        files[TABLE] = table.encode("utf-8", "surrogatepass")
    elif kind == "value":
        study = json.loads(files[STUDY])
        inner = study["spec"] if draw(st.booleans()) else study
        inner[draw(st.sampled_from([*inner]) | text)] = draw(json_values)
        files[STUDY] = json.dumps(study).encode()
    elif kind == "bytes":
        name = draw(st.sampled_from([TABLE, STUDY]))
        files[name] = draw(damaged(files[name]))
    else:
        del files[draw(st.sampled_from([TABLE, STUDY]))]
    return files


@st.composite
def rewards(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file of logged rewards: its name and its bytes, plain or packed, some of them damaged."""
    cells = st.tuples(mostly("a", "b"), mostly("0", "1", "0.5", "1e9"))
    rows = draw(st.lists(cells, max_size=3))
    rows += [(prompt, str(i % 2)) for prompt in "ab" for i in range(4)] * draw(st.integers(0, 3))
    if draw(st.booleans()):
        lines = [f"{prompt},{reward}" for prompt, reward in rows]
        ending, plain = "csv", "\n".join(["prompt,reward", *lines])
    else:
        lines = [json.dumps({"prompt": prompt, "reward": reward}) for prompt, reward in rows]
        ending, plain = "jsonl", "\n".join(lines)
    contents = draw(damaged(plain.encode("utf-8", "surrogatepass")))
    if draw(st.integers(0, 4)) == 0:
        ending += "." + draw(st.sampled_from(["gz", "zip", "xz", "zst", "tar", "bz2"]))
        contents = draw(damaged(gzip.compress(contents, mtime=0)))
    return f"log.{ending}", contents


@st.composite
def studies(draw: st.DrawFn) -> Example:
    """Comparisons and sweeps of policies, logged rewards and configs."""
    command = draw(st.sampled_from(["compare", "compare", "variance-sweep"]))
    files: dict[str, bytes] = {}
    given: list[str] = ["--groups", "64"]
    kind = draw(st.sampled_from(["policy", "rewards", "config", "study", "there"]))
    if kind == "policy":
        given += ["--policy", draw(specs()), "-n", "4"]
    elif kind == "rewards":
        name, files[name] = draw(rewards())
        given += ["--rewards", name, "-n", "3"]
    elif kind == "config":
        files["c.toml"] = draw(configs())
        given += ["--config", "c.toml"]
    elif kind == "study":
        files["c.json"] = draw(result_files()).get(STUDY, b"")
        given += ["--config", "c.json"]
    else:
        files = {f"here/{name}": contents for name, contents in draw(result_files()).items()}
    if command == "variance-sweep" and draw(st.integers(0, 3)):
        for item in draw(st.lists(grid_items, min_size=1, max_size=2)):
            given += ["--grid", item]
    given += draw(options(STUDY_OPTIONS)) + draw(FLAGS)
    return Example([command, *given, "--device", "cpu", "--out", draw(OUT)], files)


@st.composite
def plots(draw: st.DrawFn) -> Example:
    """Figures of results, of which something is hostile."""
    files = {f"r/{name}": contents for name, contents in draw(result_files()).items()}
    given = ["--format", "svg", *draw(options(PLOT_OPTIONS))]
    return Example(["plot", draw(mostly("r")), *given], files)


@st.composite
def others(draw: st.DrawFn) -> Example:
    """The other commands, and none."""
    words = st.sampled_from(
        ["--seed", "-n", "-k", "--seconds", "--peer", "--json", "-h", "--version", "--kinds",
         "--dtype", "--estimators", "--identities=1", "os:getcwd", "plot", "bench", "estimators"]
    )  # fmt: skip
    first = st.sampled_from(["bench", "bench", "estimators", "plot"]) | words | text
    command = draw(first)
    quick = ["-n", "4", "-k", "2", "--seconds", "1e-6"] if command == "bench" else []
    return Example([command, *quick, *draw(st.lists(words | value, max_size=4))])


def examples() -> st.SearchStrategy[Example]:
    """All of them."""
    return st.one_of(studies(), studies(), studies(), plots(), others())
