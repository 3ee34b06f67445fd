# ruff: noqa: E501 - rows of a table are easier to read whole
"""The table of attack, wall and test in docs/security.md. Run ``python -m tests.attacks.table`` to write it again."""

from __future__ import annotations

from pathlib import Path

from tests.attacks.inside_host import HOST_ATTACKS
from tests.attacks.inside_kernel import KERNEL_ATTACKS
from tests.attacks.test_hoarding import HOARDS, STOPS
from tests.attacks.test_lingering import LINGERERS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- attacks: written by tests/attacks/table.py -->\n", "<!-- end of attacks -->\n"

Row = tuple[str, str, str]
"""Attack, wall, and the test's id beneath ``tests/``; without brackets it stands for all of its cases."""

_EGRESS = "attacks/test_egress.py::"
_SNAPSHOT = "adapters/hub/test_snapshot.py::test_what_no_tree_may_hold_is_refused_by_name_and_nothing_is_recorded"
_SOURCES = "adapters/hub/test_sources.py::"
_WALLS = "adapters/sandbox/test_walls.py::"
_NETWORK = "proxy that knows exact names and ports"
_GIT = "git with the trusted directory and no configuration"
_TREE = "names and kinds of file refused in a tree"
_TEXT = "hidden characters written out"
_APART = "a process for each duty, with its own environment"
_THREE = "e2e/test_three_processes.py::"
_KEPT = "redacted before it is kept"

_OTHERS: tuple[Row, ...] = (
    ("host that is not listed, or another port", _NETWORK, f"{_EGRESS}test_a_request_off_the_list_reaches_nobody_and_is_told"),
    ("addresses instead of names, in any spelling", _NETWORK, "core/test_egress.py::test_any_other_target_is_refused_by_name"),
    ("listed name that leads to a private or metadata address", "addresses are looked at before they are used", "core/test_egress.py::test_an_address_that_is_not_public_is_refused"),
    ("request that two readers read in two ways", _NETWORK, "core/test_egress.py::test_what_could_be_read_in_two_ways_is_refused"),
    ("second request behind a first one", "one request a connection", f"{_EGRESS}test_a_second_request_behind_a_first_one_is_read_by_nobody"),
    ("proxy's socket used without the bridge", _NETWORK, f"{_EGRESS}test_the_bridge_replaced_and_the_socket_used_directly_the_list_still_holds"),
    ("network used without the proxy", "network namespace of its own", f"{_EGRESS}test_there_is_no_way_round_the_proxy"),
    ("flood of refusals into the log", "each kind told once, all counted", f"{_EGRESS}test_a_flood_of_refusals_is_counted_and_told_in_bounds"),
    ("connections that hang", "ended with the setup", f"{_EGRESS}test_hanging_connections_end_with_the_setup"),
    ("way out kept for later", "proxy lives as long as the setup", f"{_EGRESS}test_what_was_set_up_has_no_way_out_later_and_keeps_no_trace_of_it"),
    ("result forged as process 1", "process 1 is undumpable", f"{_WALLS}test_the_first_process_cannot_be_killed_stopped_read_or_robbed"),
    ("process 1 killed, starved or reconfigured", "process 1 takes no signal and no limit", "attacks/test_lingering.py::test_a_command_cannot_end_the_sandbox_and_be_taken_for_a_success"),
    ("variables that steer the runner", "runner with an empty environment", f"{_WALLS}test_variables_of_the_plan_do_not_steer_the_runner"),
    ("link in place of a mount", "targets made without following links", f"{_WALLS}test_a_mount_never_follows_what_the_tree_put_in_its_way"),
    ("link put there between two sandboxes", "narrow, read-only mounts", "attacks/test_lingering.py::test_a_link_put_in_place_of_a_mount_between_two_sandboxes_is_refused"),
    ("worker killed with kill -9 while work runs", "runner ends with the worker's socket", "adapters/sandbox/test_survivors.py::test_nothing_outlives_a_worker_that_is_killed"),
    ("worker killed in the first 40 ms", "runner ends with the worker's socket", "adapters/sandbox/test_survivors.py::test_nothing_outlives_a_worker_that_is_killed_while_it_opens_a_sandbox"),
    ("flood of output", "output capped while it streams", "attacks/test_hoarding.py::test_a_flood_of_output_in_every_shape_costs_bounded_memory"),
    ("hooks, filters, fsmonitor and attributes of a repository", _GIT, f"{_SOURCES}test_a_hostile_repository_runs_nothing"),
    ("hooks and configuration in the agent's own .git", "that .git is never run", "adapters/hub/test_restore.py::test_a_vandalised_inner_git_is_never_run_and_always_replaced"),
    ("merge drivers and attributes at delivery", _GIT, "adapters/hub/test_merging.py::test_a_merge_ignores_drivers_and_attributes_of_the_repository"),
    ("remote that runs a command", "transports allow-listed", "adapters/hub/test_pushing.py::test_a_remote_that_would_run_a_command_is_refused"),
    ("objects borrowed from elsewhere (alternates)", "imports are whole", f"{_SOURCES}test_a_clone_that_shares_objects_is_imported_whole"),
    ("replace refs that show another tree", _GIT, f"{_SOURCES}test_a_base_with_replace_refs_is_what_its_hash_says"),
    ("ext::, fd::, --upload-pack and -oProxyCommand for an address", "addresses validated", f"{_SOURCES}test_other_transports_are_refused_by_name_with_the_remedy"),
    ("leading dash or expression for a base", "refs validated", f"{_SOURCES}test_a_base_that_is_not_there_or_no_name_is_refused"),
    ("base with a .git in disguise", _TREE, f"{_SOURCES}test_a_base_that_holds_a_git_directory_in_disguise_is_refused_and_not_pinned"),
    ("nested repository", _TREE, f"{_SNAPSHOT}[_nested_repository]"),
    ("fifo named like a source file", _TREE, f"{_SNAPSHOT}[_fifo]"),
    ("socket in the tree", _TREE, f"{_SNAPSHOT}[_socket]"),
    ("set-user-id file in the tree", _TREE, f"{_SNAPSHOT}[_setuid]"),
    ("link that leaves the tree", _TREE, f"{_SNAPSHOT}[_leaving_link]"),
    ("link in place of .gitmodules", _TREE, f"{_SNAPSHOT}[_link_for_gitmodules]"),
    ("names that alias by case", _TREE, f"{_SNAPSHOT}[_alias_of_case]"),
    ("names that alias by Unicode form", _TREE, f"{_SNAPSHOT}[_alias_of_form]"),
    ("control characters in names", _TREE, f"{_SNAPSHOT}[_control_character]"),
    ("file over the limit", _TREE, f"{_SNAPSHOT}[_large]"),
    ("device file in the tree", _TREE, "adapters/hub/test_snapshot.py::test_a_device_file_is_refused"),
    ("directory swapped for a link during a snapshot", "opened beneath the tree, no link followed", "adapters/hub/test_snapshot.py::test_a_directory_swapped_for_a_link_hides_and_leaks_nothing"),
    ("trailers forged by a model's name", _TEXT, "adapters/hub/test_snapshot.py::test_trailers_cannot_be_forged_by_a_model_s_name"),
    ("diff hidden by attributes or binary bytes", "diffs ignore attributes", "adapters/hub/test_viewer.py::test_attributes_and_binary_bytes_hide_nothing_from_a_diff"),
    ("terminal escapes, bidi, zero-width in text", _TEXT, "core/test_text.py::test_hidden_characters_are_written_out_and_others_stay"),
    ("YAML bombs and deep nesting", "bounded reader", "core/test_spec_bombs.py::test_every_bomb_is_refused_within_a_second_and_200_megabytes"),
    ("cheats where unittest judges", "see Verdicts", "attacks/test_cheating.py::test_no_cheat_is_accepted_where_unittest_judges"),
    ("cheats where pytest judges", "see Verdicts", "attacks/test_cheating.py::test_no_cheat_is_accepted_where_pytest_judges"),
    ("secrets in the memory and environment of the process that runs agents' code", _APART, f"{_THREE}test_every_secret_is_in_the_process_whose_duty_it_is_and_none_where_agents_code_runs"),
    ("secrets left in the environment of a worker that is to have none", _APART, f"{_THREE}test_a_worker_of_hosts_alone_takes_secrets_out_of_its_own_environment_and_says_so"),
    ("worker's parent killed, so that a process with keys stays behind", "a pipe that ends with the parent", f"{_THREE}test_no_process_outlives_the_one_that_started_it"),
    ("secrets said by a model, in words, arguments and reasoning, in a provider's error, by a check", _KEPT, "attacks/test_secrets.py::test_a_secret_that_a_model_says_is_kept_nowhere"),
    ("secrets in the words, traces, details and causes of failures", _KEPT, "adapters/engine/test_discretion.py::test_a_failure_tells_no_secret_in_its_words_its_trace_its_details_or_its_causes"),
    ("secrets in arguments and tracebacks of log lines", _KEPT, "bootstrap/test_logs.py::test_secrets_are_taken_out_of_lines_arguments_and_tracebacks"),
    ("hold-outs and the solution in the repository's future", "one root commit, mounts of their own", "attacks/test_whole_line.py::test_hold_outs_and_the_future_stay_unseen"),
)  # fmt: skip


def rows() -> tuple[Row, ...]:
    """The whole table, in its order."""
    made = [(one.name, one.wall, f"attacks/test_inside.py::test_the_wall_holds[{one.name}]") for one in HOST_ATTACKS]
    made += [(one.name, one.wall, f"attacks/test_inside.py::test_the_wall_holds[{one.name}]") for one in KERNEL_ATTACKS]
    made += [
        (name, "everything of the namespace is killed", f"attacks/test_lingering.py::test_it_is_gone_when_time_is_up[{name}]")
        for name in LINGERERS
    ]  # fmt: skip
    made += [
        (name, "control group, or watchdog", f"attacks/test_hoarding.py::test_a_hoarder_is_stopped[{name}-no cgroups]")
        for name in HOARDS
    ]
    made += [(name, "limits", f"attacks/test_hoarding.py::test_a_limit_stops_it[{name}-no cgroups]") for name in STOPS]
    return (*made, *_OTHERS)


def table() -> str:
    """The table as Markdown."""
    lines = ["| attack | wall | test, beneath `tests/` |", "| --- | --- | --- |"]
    lines += [f"| {attack} | {wall} | `{test}` |" for attack, wall, test in rows()]
    return "\n".join(lines) + "\n"


def in_page(page: str) -> str:
    """The page with the table as it is now."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + "\n" + table() + "\n" + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(in_page(PAGE.read_text()))
