/** The style of the page, for light and dark, from a phone's width to a wide screen. Contrasts are at least 4.5 to 1. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #fbfbfa; --panel: #ffffff; --line: #dcdcd8; --text: #1c1d1f; --quiet: #5d6066;
  --safe: #17693a; --safe-back: #e3f4e9; --regression: #a51d24; --regression-back: #fce8e8;
  --insufficient: #7a5200; --insufficient-back: #fbf1d9; --code: #f3f3f0; --plot: #b9bcc2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #141517; --panel: #1c1e21; --line: #34373c; --text: #e8e8e6; --quiet: #a4a8af;
    --safe: #6fd39a; --safe-back: #15301f; --regression: #ff9a98; --regression-back: #401a1c;
    --insufficient: #efc269; --insufficient-back: #382a0c; --code: #25282c; --plot: #585c63;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main, footer { max-width: 76rem; margin: 0 auto; padding: 1.25rem; }
h1, h2, h3, p, ul { margin: 0; }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: .01em; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .75rem; }
code, pre { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { margin: .25rem 0 0; padding: .6rem .75rem; background: var(--code); border-radius: .4rem; white-space: pre-wrap; max-height: 24rem; overflow: auto; }
.quiet { color: var(--quiet); font-size: .875rem; }
.SAFE { color: var(--safe); } .REGRESSION, .high { color: var(--regression); } .INSUFFICIENT, .medium { color: var(--insufficient); } .low { color: var(--quiet); }
.verdict { padding: 1.25rem; border: 1px solid var(--line); border-left: .5rem solid; border-radius: .5rem; }
.verdict > * + * { margin-top: .5rem; }
.verdict p, .verdict ul { color: var(--text); }
.verdict .quiet { color: var(--quiet); }
.verdict.SAFE { background: var(--safe-back); border-color: var(--safe); }
.verdict.REGRESSION { background: var(--regression-back); border-color: var(--regression); }
.verdict.INSUFFICIENT { background: var(--insufficient-back); border-color: var(--insufficient); }
ul { padding-left: 1.25rem; }
table { width: 100%; border-collapse: collapse; background: var(--panel); border: 1px solid var(--line); }
th, td { padding: .5rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line); font-weight: inherit; }
tbody th { min-width: 10rem; }
thead th { font-size: .85rem; color: var(--quiet); border-top: 0; white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.over { color: var(--regression); font-weight: 600; }
.chip { display: inline-block; padding: .05rem .55rem; border: 1px solid; border-radius: 1rem; font-size: .8rem; font-weight: 600; white-space: nowrap; }
svg { display: block; margin: .3rem 0 0 auto; }
svg .track { stroke: var(--line); } svg .limit { stroke: var(--quiet); } svg .range { stroke: var(--plot); } svg .value { fill: var(--text); }
details { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; margin-top: .6rem; }
summary { padding: .7rem .9rem; cursor: pointer; }
summary:focus-visible, pre:focus-visible { outline: 3px solid Highlight; outline-offset: 1px; }
summary h3 { display: inline; font-size: 1rem; font-weight: 600; }
summary .quiet { display: block; margin-top: .2rem; }
.example { padding: 0 .9rem .9rem; }
.example h4 { margin: .8rem 0 0; font-size: .85rem; color: var(--quiet); }
.sides { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 1rem; }
@media (max-width: 70rem) {
  main, footer { padding: .9rem; }
  table, tbody, tr, th, td { display: block; border: 0; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table { background: none; }
  tbody tr { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; margin-top: .6rem; }
  th, td { padding: .15rem 0; }
  td[data-label] { display: flex; justify-content: space-between; gap: 0 1rem; }
  td[data-label]::before { content: attr(data-label); color: var(--quiet); font-size: .9rem; }
  .number { white-space: normal; }
  .sides { grid-template-columns: minmax(0, 1fr); }
}
@media print { pre { max-height: none; } details { break-inside: avoid; } }
`;
