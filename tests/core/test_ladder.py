from thirdshift.core.ladder import Ladder, Rung, Tier

CHEAP = Rung(model="a/cheap", tier=Tier.ECONOMY)
ANY = Rung(model="a/any", tier=Tier.SPECIALIST)
MOVER = Rung(model="b/mover", tier=Tier.SPECIALIST, fits=("migration", "tests"))
DEAR = Rung(model="a/dear", tier=Tier.FRONTIER)
LADDER = Ladder(rungs=(CHEAP, MOVER, ANY, DEAR))


def test_specialists_for_other_tasks_are_left_out_and_the_order_stays() -> None:
    assert LADDER.for_task("migration").rungs == (CHEAP, MOVER, ANY, DEAR)
    assert LADDER.for_task("bugfix").rungs == (CHEAP, ANY, DEAR)


def test_fit_is_asked_of_specialists_alone() -> None:
    odd = Rung(model="c/odd", tier=Tier.ECONOMY, fits=("docs",))
    assert Ladder(rungs=(odd, DEAR)).for_task("bugfix").rungs == (odd, DEAR)
