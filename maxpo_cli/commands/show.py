"""From a comparison to what the user gets: progress, the result folder, the table or the JSON."""

from pathlib import Path

from maxpo_cli.commands.record import logged_facts, print_json, study_record
from maxpo_cli.policies.files import RewardsTemplate
from maxpo_cli.policies.spec import PolicyTemplate
from maxpo_cli.plots import comparison as figures
from maxpo_cli.storage import folder
from maxpo_cli.plots.kinds import write
from maxpo_cli.terminal.comparison import comparison_view, console, progress
from maxpo_cli.studies.compare import CompareSpec, compare


def run_comparison(
    spec: CompareSpec,
    template: PolicyTemplate | RewardsTemplate,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Runs the comparison of a template's policy, writes its folder and shows it."""
    name = f"compare-{folder.slug(spec.policy.spec, source_of(template))}-n{spec.n}-k{spec.k}"
    path = out if out is not None else Path("results") / name
    with folder.new_result(path, "compare") as draft:
        with progress(quiet) as bar:
            task = bar.add_task(spec.policy.spec, total=1.0)
            found = compare(spec, lambda done: bar.advance(task, done))
        study = study_record("compare", template, {"n": spec.n, "k": spec.k}, spec, found.device)
        folder.write_table(draft / folder.TABLE, found.table)
        if found.prompts is not None:
            study |= logged_facts([spec.policy])
            folder.write_table(draft / folder.PROMPTS, found.prompts)
        folder.write_study(draft / folder.STUDY, study)
        write(draft / folder.FIGURES, figures.COMPARISON, figures.comparison(found.table))
    if as_json:
        print_json(study, found.table)
    elif not quiet:
        screen = console()
        screen.print(comparison_view(found.table, study, screen.width))
        screen.print(f"\nwritten to {path}", soft_wrap=True)


def source_of(template: PolicyTemplate | RewardsTemplate) -> str:
    """What tells files of rewards apart that have the same spec; nothing for other policies."""
    if isinstance(template, PolicyTemplate):
        return ""
    file = template.file
    return f"{file.path} {file.group_column} {file.reward_column}"
