"""What the morning page adds to the style of all pages: decisions first, phones, the dark, and paper."""

from __future__ import annotations

from thirdshift.core.mornings import Fate

MORNING_STYLE = """
:root{color-scheme:light dark;--go:#0b57a4;--tint:#eef4fb;--alarm:#b3261e;--on-alarm:#fff;--good:#00694d;
--code:#eceff3}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaee;--soft:#a2aebb;--line:#323b46;--back:#12161b;--card:#1b2128;
--bad:#ff8a80;--go:#7fbaf5;--tint:#18273a;--alarm:#8c1d18;--on-alarm:#fff;--good:#5fd3aa;--code:#28303a}}
main{max-width:1080px}
h2 small{color:var(--soft);font-weight:400;font-size:15px}
a{color:var(--go)}
.good{color:var(--good)}
code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--code);border-radius:5px;
padding:2px 7px;overflow-wrap:anywhere;user-select:all}
section{margin:14px 0}
section.alarm{background:var(--alarm);color:var(--on-alarm);border:0;font-weight:600;font-size:17px}
section.first{border:2px solid var(--go);background:var(--tint)}
.decide{margin:8px 0 0;padding:0 0 0 26px}
.decide li{padding:5px 0 6px;border-bottom:1px solid var(--line)}
.decide li:last-child{border-bottom:0}
.decide li::marker{font-weight:700;color:var(--go)}
.decide .soft{display:block;font-size:13.5px;overflow-wrap:anywhere}
.decide .do{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 14px;margin-top:3px}
.decide b{overflow-wrap:anywhere}
.kind{display:inline-block;font-size:12.5px;font-weight:600;color:var(--go);border:1px solid currentColor;
border-radius:5px;padding:0 6px;margin-right:4px;white-space:nowrap}
.jobs{list-style:none;margin:6px 0 0;padding:0}
.jobs li{padding:8px 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
.jobs li:last-child{border-bottom:0}
.jobs li>div+div{font-size:13.5px;margin-top:2px}
.jobs .head{display:flex;justify-content:space-between;gap:16px}
.jobs .cost{white-space:nowrap;font-variant-numeric:tabular-nums}
svg .limit{stroke:var(--bad);stroke-width:2;stroke-dasharray:6 4}
svg .value{font-size:13px}
.legend i.level{height:0;border-top:2px dashed var(--bad);border-radius:0;vertical-align:4px;width:20px}
.short{font-size:17px;font-weight:600}
.narrow{max-width:640px}
@media(max-width:640px){main{padding:16px 10px 40px}section{padding:14px 12px}.pair{grid-template-columns:1fr}
.tiles{grid-template-columns:1fr 1fr}svg{font-size:17px}svg .tick{font-size:16px}svg .value{font-size:17px}
.jobs .head{flex-direction:column;gap:0}td{min-width:5.5em}td:first-child{min-width:6.5em}}
@media print{:root{color-scheme:light;--ink:#1d2733;--soft:#5b6775;--line:#bbb;--back:#fff;--card:#fff;--bad:#b3261e;
--go:#0b57a4;--tint:#fff;--good:#00694d;--code:#eee}section.alarm{border:2px solid #b3261e;background:#fff;
color:#b3261e}svg{max-height:60mm}*{print-color-adjust:exact}}
""".strip()

FATE_COLOURS = {
    Fate.ACCEPTED: "#009e73",
    Fate.WAITING: "#0072b2",
    Fate.PARKED: "#56b4e9",
    Fate.STOPPED: "#d55e00",
    Fate.REJECTED: "#cc79a7",
    Fate.RUNNING: "#c9a800",
    Fate.REFUSED: "#a3402e",
    Fate.PASSED_OVER: "#8a94a0",
    Fate.LISTED: "#8a94a0",
    Fate.DONE_BEFORE: "#b4bcc5",
}
SETTLED, MAYBE, PER_ACCEPTED = "#0072b2", "#e69f00", "#009e73"
"""Colours that people with colour blindness tell apart (Okabe and Ito, 2008), on light ground and on dark."""
