/** The style of the page. */
export const pageStyle = `
:root {
  --ground: #f6f7f9; --surface: #fff; --line: #dfe3e8; --text: #1c2127; --quiet: #59636e;
  --good: #176b41; --good-ground: #e3f4ea; --warning: #7a4b00; --warning-ground: #fdf0d5; --warning-line: #d58a00;
  --critical: #a3161f; --critical-ground: #fde8e8; --critical-line: #cf222e; --link: #0a58b0; --bar: #5b83b5;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1317; --surface: #171c22; --line: #2c343d; --text: #e4e8ec; --quiet: #9aa6b2;
    --good: #7ad5a3; --good-ground: #12301f; --warning: #f1c15f; --warning-ground: #352507; --warning-line: #d29922;
    --critical: #ff9a95; --critical-ground: #3d1518; --critical-line: #f85149; --link: #7cb7ff; --bar: #5a8bc9;
  }
}
* { box-sizing: border-box; }
html { font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 0 1.5rem 2rem; max-width: 120rem; background: var(--ground); color: var(--text); }
h1, h2, h3, p, dl, dd, ol { margin: 0; padding: 0; }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
code, pre { font: 0.92em/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; margin: 0.5rem 0 0; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--surface); padding: 0.25rem 0.75rem; z-index: 1; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 1rem; padding: 1.25rem 0 1rem; }
h1 { font-size: 1.3rem; font-weight: 650; letter-spacing: -0.01em; }
.replica { color: var(--quiet); overflow-wrap: anywhere; }
.live { margin-left: auto; color: var(--quiet); font-variant-numeric: tabular-nums; }
.lost { position: fixed; z-index: 1; inset: auto 0 0; padding: 0.6rem 1.5rem; border-top: 3px solid var(--critical-line); background: var(--critical-ground); color: var(--critical); font-weight: 600; }
main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 38rem), 1fr)); align-items: start; }
section { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: 0.9rem 1.1rem 1rem; min-width: 0; }
.wide { grid-column: 1 / -1; }
h2 { font-size: 1rem; font-weight: 650; }
h3 { font-size: 0.95rem; margin-top: 1rem; }
.problems { list-style: none; display: grid; gap: 0.6rem; margin-top: 0.6rem; }
.problem { display: flex; gap: 0.9rem; padding: 0.7rem 0.9rem; border-radius: 6px; border-left: 4px solid; }
.problem.critical { background: var(--critical-ground); border-color: var(--critical-line); }
.problem.warning { background: var(--warning-ground); border-color: var(--warning-line); }
.problem > .badge { flex: 0 0 5.4rem; align-self: start; background: none; border: 0; padding: 0; text-transform: none; font-size: 0.95rem; line-height: 1.55; }
.about { min-width: 0; display: grid; gap: 0.15rem; }
.summary { font-weight: 600; font-size: 1.05rem; overflow-wrap: anywhere; }
.action { overflow-wrap: anywhere; }
.more { color: var(--quiet); font-size: 0.9rem; }
.problem .more { color: var(--text); opacity: 1; }
.calm { margin-top: 0.4rem; }
.badge { display: inline-block; padding: 0 0.45em; border-radius: 4px; font-size: 0.85rem; font-weight: 600; white-space: nowrap; }
.badge.good { color: var(--good); background: var(--good-ground); }
.badge.warning { color: var(--warning); background: var(--warning-ground); }
.badge.critical { color: var(--critical); background: var(--critical-ground); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.6rem, 1fr)); gap: 1rem 1.25rem; margin-top: 0.8rem; }
.tile dt { color: var(--quiet); font-size: 0.88rem; }
.tile dd { font-size: 1.35rem; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; letter-spacing: -0.01em; }
.tile dd.detail { font-size: 0.88rem; font-weight: 400; color: var(--quiet); letter-spacing: 0; min-height: 1.3em; }
table { width: 100%; border-collapse: collapse; }
caption { text-align: left; color: var(--quiet); font-size: 0.9rem; padding: 0.1rem 0 0.5rem; }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 1rem 0.4rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--quiet); font-size: 0.85rem; font-weight: 500; border-top: 0; padding-top: 0; overflow-wrap: normal; }
tbody th { font-weight: 600; }
th p + p { font-weight: 400; }
.number + th:not(.number), .number + td:not(.number) { padding-left: 0.75rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
time { white-space: nowrap; font-variant-numeric: tabular-nums; }
td.blank, .aside, .empty { color: var(--quiet); }
.empty { margin-top: 0.4rem; }
:is(th, td) p + p { margin-top: 0.15rem; }
.bar { display: block; width: 100%; min-width: 4rem; height: 0.6rem; margin-top: 0.35rem; }
.bar rect { fill: var(--bar); }
p.code { white-space: nowrap; }
header:has(.lost) + main { filter: grayscale(1); }
body:has(.lost) { padding-bottom: 5rem; }
summary { cursor: pointer; color: var(--link); width: fit-content; margin: 0.3rem 0; }
details > .aside { margin-top: 0.8rem; font-size: 0.9rem; overflow-wrap: anywhere; }
.version, footer { color: var(--quiet); font-size: 0.9rem; }
footer { padding-top: 0.5rem; }
@media (max-width: 46rem) {
  body { padding: 0 0.75rem 1.5rem; }
  .live { margin-left: 0; flex-basis: 100%; }
  section { padding: 0.8rem 0.85rem; }
  .problem { flex-direction: column; gap: 0.1rem; }
  .problem > .badge { flex: none; }
  table, caption, tbody, tr, tbody th, td { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tbody tr { border-top: 1px solid var(--line); padding: 0.5rem 0; }
  tbody th, td { border: 0; padding: 0.1rem 0; }
  td { display: grid; grid-template-columns: 7.5rem minmax(0, 1fr); gap: 0.75rem; }
  td::before { content: attr(data-label); color: var(--quiet); font-size: 0.9rem; }
  td.number { text-align: left; white-space: normal; }
  .number + td:not(.number) { padding-left: 0; }
  td.blank { display: none; }
  p.code { white-space: normal; }
  .pairs td { display: block; }
  .pairs td::before { content: none; }
}
@media (min-width: 150rem) { html { font-size: 17px; } }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
@media print { body { background: none; } section { break-inside: avoid; } }
`
