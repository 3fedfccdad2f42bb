/** The look of the pages, in either theme; no file from elsewhere. */
export const style = `
:root {
  color-scheme: light dark;
  --canvas: light-dark(#ffffff, #0d1117); --subtle: light-dark(#f6f8fa, #151b23); --text: light-dark(#1f2328, #f0f6fc);
  --muted: light-dark(#59636e, #9198a1); --border: light-dark(#d1d9e0, #3d444d); --link: light-dark(#0969da, #4493f8);
  --good: light-dark(#1a7f37, #3fb950); --bad: light-dark(#cf222e, #f85149); --wait: light-dark(#9a6700, #d29922);
  --merged: light-dark(#8250df, #ab7df8); --button: light-dark(#1f883d, #238636); --code: light-dark(#818b981f, #656c7633);
  --added: light-dark(#dafbe1, #12261e); --removed: light-dark(#ffebe9, #25171c);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--canvas); color: var(--text); font: 14px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; }
a { color: var(--link); text-decoration: none; } a:hover, .meta a, .markdown a { text-decoration: underline; }
.unseen { clip-path: inset(50%); height: 1px; overflow: hidden; position: absolute; width: 1px; }
header.top { background: var(--subtle); border-bottom: 1px solid var(--border); padding: 16px 32px 0; }
header.top .path { font-size: 16px; } header.top .path b { font-weight: 600; }
header.top .badge { border: 1px solid var(--border); border-radius: 2em; color: var(--muted); font-size: 12px; margin-left: 8px; padding: 0 7px; }
nav { display: flex; gap: 8px; margin-top: 12px; }
nav a { border-bottom: 2px solid transparent; color: var(--text); padding: 8px; } nav a[aria-current] { border-color: #fd8c73; font-weight: 600; }
main { margin: 0 auto; max-width: 1080px; padding: 24px 32px; }
footer { border-top: 1px solid var(--border); color: var(--muted); font-size: 12px; margin: 40px auto 0; max-width: 1016px; padding: 16px 0 32px; }
h1 { font-size: 26px; font-weight: 400; line-height: 1.25; margin: 0 0 8px; } h1 .number { color: var(--muted); font-weight: 300; }
.meta { align-items: center; border-bottom: 1px solid var(--border); color: var(--muted); display: flex; flex-wrap: wrap; gap: 8px; margin-bottom: 24px; padding-bottom: 16px; }
.pill { border-radius: 2em; color: #fff; font-weight: 500; padding: 5px 12px; }
.pill.open { background: light-dark(#1f883d, #238636); } .pill.merged { background: light-dark(#8250df, #8957e5); } .pill.closed { background: light-dark(#cf222e, #da3633); }
.branch { background: light-dark(#ddf4ff, #388bfd1a); border-radius: 6px; color: var(--link); font: 12px/1.6 ui-monospace, "Liberation Mono", monospace; padding: 2px 6px; }
.box { border: 1px solid var(--border); border-radius: 6px; margin-bottom: 16px; overflow: hidden; }
.box > .head { background: var(--subtle); border-bottom: 1px solid var(--border); color: var(--muted); padding: 8px 16px; }
.box > .head b, .box > .head a { color: var(--text); font-weight: 600; } .box > .body { padding: 16px; }
.row { align-items: center; border-top: 1px solid var(--border); display: flex; gap: 10px; padding: 10px 16px; } .row:first-child { border-top: 0; }
.row .grow { flex: 1; min-width: 0; } .row small { color: var(--muted); display: block; font-size: 12px; overflow-wrap: anywhere; }
.row > a.end, .row > .end { font-size: 12px; white-space: nowrap; }
.timeline { display: grid; grid-template-columns: 40px minmax(0, 1fr); column-gap: 16px; } .timeline > .item { grid-column: 2; }
.timeline > .face { grid-column: 1; } .face img, .face svg { border-radius: 50%; height: 40px; width: 40px; display: block; }
.event { color: var(--muted); padding: 4px 0 16px 16px; border-left: 2px solid var(--border); margin-left: 16px; } .event code { font-size: 12px; }
.tag { border: 1px solid var(--border); border-radius: 2em; color: var(--muted); font-size: 12px; font-weight: 500; padding: 0 7px; float: right; margin-left: 6px; }
.mark { display: inline-block; flex: none; font-weight: 700; text-align: center; width: 18px; }
.mark.success { color: var(--good); } .mark.failure, .mark.error { color: var(--bad); } .mark.pending { color: var(--wait); } .mark.neutral { color: var(--muted); }
.summary { font-size: 16px; font-weight: 600; padding: 16px; display: flex; gap: 10px; } .summary small { color: var(--muted); display: block; font-size: 13px; font-weight: 400; }
.box.success { border-color: var(--good); } .box.failure { border-color: var(--bad); } .box.pending { border-color: var(--wait); } .box.merged { border-color: var(--merged); }
.reactions { display: flex; gap: 6px; padding: 0 16px 12px; } .reactions span { border: 1px solid var(--border); border-radius: 2em; font-size: 12px; padding: 2px 8px; }
form { display: grid; gap: 8px; } textarea { background: var(--canvas); border: 1px solid var(--border); border-radius: 6px; color: var(--text); font: inherit; min-height: 90px; padding: 8px 12px; width: 100%; }
.buttons { align-items: center; display: flex; flex-wrap: wrap; gap: 8px; justify-content: flex-end; }
button, select { background: var(--subtle); border: 1px solid var(--border); border-radius: 6px; color: var(--text); cursor: pointer; font: 500 14px/20px inherit; font-family: inherit; padding: 5px 16px; }
button.go { background: var(--button); border-color: transparent; color: #fff; }
.markdown { overflow-wrap: break-word; } .markdown > :first-child { margin-top: 0; } .markdown > :last-child { margin-bottom: 0; }
.markdown h1, .markdown h2, .markdown h3, .markdown h4 { font-weight: 600; line-height: 1.25; margin: 24px 0 16px; }
.markdown h1 { font-size: 2em; border-bottom: 1px solid var(--border); padding-bottom: .3em; } .markdown h2 { font-size: 1.5em; border-bottom: 1px solid var(--border); padding-bottom: .3em; }
.markdown h3 { font-size: 1.25em; } .markdown h4 { font-size: 1em; } .markdown p, .markdown ul, .markdown ol, .markdown pre, .markdown table, .markdown blockquote, .markdown details { margin: 0 0 16px; }
.markdown table { border-collapse: collapse; display: block; max-width: 100%; overflow: auto; width: max-content; }
.markdown th, .markdown td { border: 1px solid var(--border); padding: 6px 13px; text-align: left; } .markdown .right { text-align: right; } .markdown .center { text-align: center; }
.markdown tbody tr:nth-child(2n) { background: var(--subtle); }
.markdown code, .event code { background: var(--code); border-radius: 6px; font: 85% ui-monospace, "DejaVu Sans Mono", "Liberation Mono", monospace; padding: .2em .4em; }
.markdown pre, pre.diff { background: var(--subtle); border-radius: 6px; font: 85%/1.45 ui-monospace, "DejaVu Sans Mono", "Liberation Mono", monospace; overflow: auto; padding: 16px; }
.markdown pre code { background: none; font: inherit; padding: 0; } .markdown blockquote { border-left: .25em solid var(--border); color: var(--muted); padding: 0 1em; }
pre.diff { border-radius: 0; margin: 0; padding: 8px 0; } pre.diff span { display: block; min-height: 1.45em; padding: 0 16px; } pre.diff .plus { background: var(--added); } pre.diff .minus { background: var(--removed); } pre.diff .at { color: var(--muted); }
.columns { display: grid; gap: 24px; grid-template-columns: minmax(0, 2fr) minmax(0, 1fr); } .muted { color: var(--muted); }
@media (max-width: 760px) { main, header.top { padding-left: 16px; padding-right: 16px; } .timeline, .columns { display: block; } .timeline > .face { display: none; } }
`;
