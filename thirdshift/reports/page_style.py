"""How the page looks: one style sheet, legible on a screen and on paper, with the fonts that are there."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light;--ink:#1d2733;--soft:#5b6775;--line:#dfe4ea;--back:#f4f6f8;--card:#fff;--bad:#b3261e}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif}
main{max-width:1120px;margin:0 auto;padding:28px 24px 60px}
h1{font-size:26px;margin:0}
h2{font-size:18px;margin:0 0 4px}
h3{font-size:15px;margin:18px 0 6px}
p{margin:4px 0 10px}
.soft{color:var(--soft)}
td .soft{font-size:12.5px}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:20px 22px;margin:18px 0;
break-inside:avoid-page}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:18px 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
.tile b{display:block;font-size:22px;line-height:1.3;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:13px}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(440px,1fr));gap:6px 28px}
svg{display:block;width:100%;height:auto;font:13px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
svg text{fill:var(--ink)}
svg .tick{fill:var(--soft);font-size:12px}
svg .grid{stroke:var(--line)}
svg .on{fill:#fff;font-weight:600}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;margin:6px 0 10px;padding:0;font-size:13px}
.legend i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px;vertical-align:-1px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:14px 0 4px}
th{font-weight:600;color:var(--soft);text-align:left;border-bottom:2px solid var(--line);white-space:nowrap}
th,td{padding:5px 10px 5px 0;vertical-align:top}
td{border-bottom:1px solid var(--line);overflow-wrap:anywhere;min-width:7.5em}
td:first-child{min-width:8.5em}
td.n,th.n{text-align:right;white-space:nowrap;overflow-wrap:normal;min-width:0}
th.n,td.n{padding:5px 0 5px 10px}
tfoot td{font-weight:600;border-bottom:0}
.bad{color:var(--bad);font-weight:600}
.good{color:#00694d;font-weight:600}
@media print{body{background:#fff}section,.tile{border-color:#bbb}}
""".strip()

TIERS = {"economy": "#56b4e9", "specialist": "#0072b2", "frontier": "#d55e00"}
"""Colours that people with colour blindness tell apart (Okabe and Ito, 2008), lighter for cheaper tiers."""
OUTPUTS = {
    "accepted": "#009e73",
    "edited": "#7cc8b0",
    "rejected": "#cc79a7",
    "reverted": "#d55e00",
    "none": "#b4bcc5",
    "under_way": "#f0e442",
}
CAUSES = {
    "productive": "#009e73",
    "no_outcome": "#d55e00",
    "excess_retry": "#e69f00",
    "long_context": "#cc79a7",
    "wasted_tool": "#0072b2",
    "unnecessary_call": "#7a8591",
}
PLAIN = "#0072b2"
OTHER = "#7a8591"
