from html.parser import HTMLParser

from thirdshift.core.gate_facts import CheckLine, GateFacts
from thirdshift.core.spec import GateKind
from thirdshift.reports.review_page import ReviewedGate, render_review

BAD = "</pre></span><script>alert(1)</script><img src=x onerror=alert(1)>\"'\u202e\x1b[31m"


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.attributes |= {name for name, _ in attrs}


def page(**facts: object) -> str:
    gate = ReviewedGate(
        job_id=BAD,
        seq=3,
        kind=GateKind.MERGE,
        tree=BAD,
        reason=BAD,
        repository=BAD,
        base_commit=BAD,
        goal=BAD,
        whole=f"diff --git a/{BAD} b/{BAD}\n@@ -0,0 +1,2 @@\n+{BAD}\n+two\n",
    )
    given = {"title": BAD, "failed_output": BAD, "to_review": (BAD,), "excerpt_of": "diff", **facts}
    return render_review(gate, GateFacts.model_validate(given))


def test_hostile_text_makes_no_element_and_no_attribute() -> None:
    text = page(checks=(CheckLine(id=BAD, state="FAIL"),))
    tags = Tags()
    tags.feed(text)
    assert not {"script", "img", "a", "iframe", "form", "link"} & set(tags.found)
    assert tags.attributes <= {"lang", "charset", "http-equiv", "content", "name", "class"}
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;" in text
    assert "<U+202E>".replace("<", "&lt;").replace(">", "&gt;") in text


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    text = page()
    assert "default-src &#x27;none&#x27;" in text
    assert "://" not in text


def test_the_whole_change_is_there_with_its_size() -> None:
    text = page()
    assert "The change: 1 file" in text
    assert '<span class="added">+two</span>' in text
