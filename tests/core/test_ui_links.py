from thirdshift.core.ui_links import schedule_link, user_metadata_link, waiting_view_link, workflow_link


def test_a_workflow_link_shows_the_newest_run_where_none_is_named() -> None:
    assert workflow_link("http://h:8233/", "default", "job-a") == "http://h:8233/namespaces/default/workflows/job-a"


def test_a_gate_is_read_on_the_user_metadata_page_of_its_run() -> None:
    assert (
        user_metadata_link("http://h:8233", "my ns", "job/a", "r-1")
        == "http://h:8233/namespaces/my%20ns/workflows/job%2Fa/r-1/user-metadata"
    )


def test_the_saved_view_link_carries_query_and_title() -> None:
    assert waiting_view_link("http://h:8233", "default") == (
        "http://h:8233/namespaces/default/workflows"
        "?query=GateOpen%3Dtrue%20AND%20ExecutionStatus%3D%22Running%22&savedQuery=Waiting%20for%20approval"
    )


def test_the_page_of_a_schedule_is_named() -> None:
    assert schedule_link("http://ui/", "my nights", "shift-nightly") == (
        "http://ui/namespaces/my%20nights/schedules/shift-nightly"
    )
