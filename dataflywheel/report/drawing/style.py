"""The look of every page: one style sheet, light, dark, narrow and on paper."""

STYLE = """
:root { --paper:#fff; --ink:#16202b; --soft:#5b6875; --faint:#8a95a1; --line:#e3e7ec; --panel:#f6f8fa; --code:#f1f4f7;
  --ours:#1463c9; --ours-soft:#dbe8fb; --drop:#d9792b;
  --added:#0f8f6d; --changed:#8256c8; --random:#6b7682; --good:#0f7a4f; --bad:#b3261e;
    --band:#6b768218 }
@media (prefers-color-scheme: dark) { :root { --paper:#12171d; --ink:#e6ebf0; --soft:#a3afbb; --faint:#7b8794;
  --line:#2a323b;
  --panel:#1a2129; --code:#1e262f; --ours:#6aa9ff; --ours-soft:#1c3350; --drop:#f0a05a;
  --added:#3cc9a0; --changed:#b394f0; --random:#9aa6b2;
    --good:#4cc38a;
  --bad:#ff8a80; --band:#9aa6b21f } }
* { box-sizing:border-box }
html { scroll-behavior:smooth; -webkit-text-size-adjust:100% }
body { margin:0; overflow-x:clip; background:var(--paper); color:var(--ink);
  font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Helvetica Neue",Arial,sans-serif }
main { max-width:1060px; margin:0 auto; padding:40px 28px 72px }
h1 { font-size:clamp(25px,4.2vw,38px); line-height:1.18; letter-spacing:-.02em; margin:.1em 0 .35em;
  text-wrap:balance }
h2 { font-size:23px; letter-spacing:-.01em; margin:0 0 6px } h3 { font-size:17px; margin:30px 0 10px }
h4 { font-size:15px; font-weight:600; margin:0 0 10px } h5 { font-size:13px; margin:0 0 6px; font-weight:600 }
small { font-weight:400; color:var(--soft); font-size:14px; margin-left:6px }
section { margin-top:64px }
code,pre { font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace }
pre { background:var(--code); padding:16px; border-radius:8px; overflow:auto; margin:8px 0 }
code { overflow-wrap:anywhere } a { color:var(--ours) }
.kicker { margin:0; color:var(--soft); font-size:14px; font-weight:600; overflow-wrap:anywhere }
.hero { border-left:5px solid var(--random); padding-left:20px; margin-bottom:26px }
.hero.good { border-color:var(--good) } .hero.bad { border-color:var(--bad) }
.hero.unknown { border-color:var(--drop) }
.detail,.lead { color:var(--soft); margin:0; max-width:76ch } .lead { margin-bottom:18px }
.note { background:var(--panel); border-radius:8px; padding:12px 16px; margin:14px 0; color:var(--soft);
  overflow-wrap:anywhere }
.tiles { display:grid; grid-template-columns:repeat(4,1fr); gap:14px; margin:26px 0 0 }
.tile { background:var(--panel); border-radius:10px; padding:15px 18px }
.tile dt { font-size:13px; color:var(--soft) }
.tile dd { margin:0 } .tile b { display:block; font-size:26px; line-height:1.3; letter-spacing:-.02em;
  font-weight:650 }
.tile span { font-size:13px; line-height:1.4; color:var(--soft); display:block }
nav { display:flex; flex-wrap:wrap; gap:2px 18px; margin-top:30px; padding:9px 0; position:sticky; top:0; z-index:2;
  background:var(--paper); border-block:1px solid var(--line) }
nav a { color:var(--soft); text-decoration:none; font-size:13.5px; white-space:nowrap }
nav a:first-child { font-weight:600 } section,h3 { scroll-margin-top:76px }
nav a:hover { color:var(--ours); text-decoration:underline }
.facts { display:grid; grid-template-columns:max-content 1fr; gap:7px 18px; margin:0 }
.facts dt { color:var(--soft); font-size:14px; padding-top:1px } .facts dd { margin:0; overflow-wrap:anywhere }
.terms { border:0; padding:0; margin:22px 0 0; color:var(--soft); font-size:14px }
.terms summary { font-weight:400; padding:0; font-size:13.5px; text-decoration:underline dotted }
.terms dl { margin:8px 0 0; display:grid; grid-template-columns:max-content 1fr; gap:4px 16px }
.terms dt { color:var(--ink); font-weight:550 } .terms dd { margin:0; max-width:76ch }
.story + .story,.tiles + .story { margin-top:26px }
figure { margin:0 } figcaption { font-size:13px; color:var(--soft) }
.story { border:1px solid var(--line); border-radius:12px; padding:20px 24px 14px }
.story figcaption { margin-top:4px }
svg.chart { display:block; overflow:visible; max-width:100% }
svg text { font-size:13px; fill:var(--ink) } svg .tick { fill:var(--soft); font-size:12px }
svg .label { font-weight:550 } svg .value { fill:var(--soft); font-variant-numeric:tabular-nums }
svg .halo { paint-order:stroke; stroke:var(--paper); stroke-width:4px; stroke-linejoin:round }
svg .grid { stroke:var(--line) } svg .base { stroke:var(--faint) } svg .band { fill:var(--band) }
svg .mark { stroke:var(--random); stroke-dasharray:4 4; stroke-width:1.5 }
svg .fit { stroke:var(--ours); stroke-width:1.5 } svg .thin { stroke:var(--faint); stroke-width:1; opacity:.7 }
svg .outline { stroke:var(--ink); stroke-width:1.5 }
svg .whisker { stroke:var(--faint); stroke-width:3; stroke-linecap:round } svg .dot { fill:var(--faint) }
svg .seed { fill:var(--faint); opacity:.6 }
svg .random .dot { fill:var(--paper); stroke:var(--random); stroke-width:2.5 }
svg .random .whisker { stroke:var(--random) } svg .ours .dot,svg .ours .seed { fill:var(--ours) }
svg .ours .whisker { stroke:var(--ours) } svg .ours .label { fill:var(--ours) }
svg .ours .value { fill:var(--ink); font-weight:600 }
svg .worse .dot { fill:var(--bad) } svg .worse .whisker { stroke:var(--bad) }
svg rect.kept { fill:var(--ours) } svg rect.dropped { fill:var(--drop); opacity:.75 }
svg rect.added { fill:var(--added) } svg rect.changed { fill:var(--changed) }
svg .limit { stroke:var(--bad); stroke-width:2; stroke-dasharray:5 3 }
svg .limit-label { fill:var(--bad); font-weight:600 }
svg.map { width:100%; height:auto; background:var(--panel); border-radius:12px }
svg.map circle { r:3.4px } svg.map .dropped circle { opacity:.3 }
svg.map .kept circle { r:6px; stroke:var(--paper); stroke-width:1.2px }
svg.map circle:hover { opacity:1; stroke:var(--ink); stroke-width:3px }
.s0 { --own:#2f72d6; --own-dark:#6aa9ff } .s1 { --own:#d9792b; --own-dark:#f0a05a }
.s2 { --own:#0f8f6d; --own-dark:#3cc9a0 } .s3 { --own:#b23a8e; --own-dark:#ec8fd0 }
.s4 { --own:#8256c8; --own-dark:#b394f0 } .s5 { --own:#a4760c; --own-dark:#e0bd4f }
.s6 { --own:#24899e; --own-dark:#63cfe6 } .s7 { --own:#6b7682; --own-dark:#9aa6b2 }
svg.map g { fill:var(--own) } .key.s0,.key.s1,.key.s2,.key.s3,.key.s4,.key.s5,.key.s6,.key.s7 {
  background:var(--own); border-radius:50% }
@media (prefers-color-scheme: dark) { svg.map g { fill:var(--own-dark) }
  .key[class*=" s"] { background:var(--own-dark) } }
svg.mini { min-width:70px }
.bars th:first-child { width:36% } .bars td:nth-child(2) { width:36% }
.key { display:inline-block; width:11px; height:11px; border-radius:3px; margin:0 3px 0 12px; background:var(--ours) }
.lead .key:first-child { margin-left:0 } .key.dropped { background:var(--drop) }
.key.added { background:var(--added) } .key.changed { background:var(--changed) }
.key.outline { background:none; border:2px solid var(--ink) }
.key.limit { background:none; border-left:2px dashed var(--bad); border-radius:0; width:3px; height:14px;
  vertical-align:-2px }
.funnel { list-style:none; padding:0; margin:0; display:grid; gap:20px }
.head { display:flex; justify-content:space-between; gap:4px 16px; flex-wrap:wrap; margin-bottom:5px }
.name { font-weight:600 } .rows { font-variant-numeric:tabular-nums }
.change { color:var(--drop); font-weight:600; margin-left:6px } .change.added { color:var(--added) }
.change.changed { color:var(--changed) }
.reasons { list-style:none; display:flex; flex-wrap:wrap; gap:2px 18px; padding:0; margin:6px 0 0; font-size:13.5px;
  color:var(--soft) }
.reasons li { overflow-wrap:anywhere } .reasons b { color:var(--ink); font-variant-numeric:tabular-nums }
.plots { display:grid; grid-template-columns:repeat(auto-fit,minmax(min(300px,100%),1fr)); gap:30px 34px }
.plot { max-width:520px } .plot figcaption { display:flex; justify-content:space-between; gap:10px;
  margin-bottom:8px; flex-wrap:wrap }
.plot figcaption b { color:var(--ink) }
.scroll { overflow-x:auto; margin:18px 0 30px } table { border-collapse:collapse; width:100%; font-size:14px }
caption { text-align:left; color:var(--soft); font-size:13.5px; padding-bottom:8px }
th,td { text-align:left; padding:9px 16px 9px 0; border-bottom:1px solid var(--line); vertical-align:top;
  overflow-wrap:anywhere }
thead th { color:var(--soft); font-weight:600; font-size:13px; vertical-align:bottom; overflow-wrap:normal }
tbody th { font-weight:500 } tbody tr>:first-child { min-width:6em }
.num { text-align:right; min-width:4.5em; padding-right:26px; font-variant-numeric:tabular-nums; overflow-wrap:normal }
.dot-key { display:inline-block; width:9px; height:9px; border-radius:50%; background:var(--faint); margin-right:8px }
.dot-key.ours { background:var(--ours) } .dot-key.random { background:none; border:2px solid var(--random) }
.heat { display:inline-block; min-width:62px; padding:2px 8px; border-radius:4px;
  background:color-mix(in srgb,var(--ours) var(--heat),transparent) }
details { border:1px solid var(--line); border-radius:10px; margin:12px 0; padding:0 18px }
.funnel + details { margin-top:24px } details > .funnel { padding-bottom:18px }
summary { cursor:pointer; padding:13px 0; font-weight:600; overflow-wrap:anywhere }
.example { border-top:1px solid var(--line); padding:16px 0; overflow-wrap:anywhere }
mark { background:color-mix(in srgb,var(--drop) 30%,transparent); color:inherit; border-radius:3px }
del { background:color-mix(in srgb,var(--drop) 22%,transparent); text-decoration-thickness:1px; border-radius:3px }
ins { background:color-mix(in srgb,var(--added) 26%,transparent); text-decoration:none; border-radius:3px }
.badge { font-size:12px; padding:2px 9px; border-radius:20px; background:var(--panel); border:1px solid var(--line);
  margin-right:6px }
.dropped .badge { color:var(--drop); border-color:var(--drop) }
.kept .badge { color:var(--ours); border-color:var(--ours) }
.added .badge { color:var(--added); border-color:var(--added) }
.changed .badge { color:var(--changed); border-color:var(--changed) }
.score,.where,.cut { color:var(--soft); font-weight:400; font-size:12.5px } .score { margin-left:8px }
.pair { display:grid; grid-template-columns:1fr 1fr; gap:16px }
.row { background:var(--panel); border-radius:8px; padding:12px 14px; min-width:0 }
.part { font-size:12px; color:var(--soft) }
.text { white-space:pre-wrap; overflow-wrap:anywhere; font-size:14px; line-height:1.5;
  margin-bottom:8px; unicode-bidi:isolate } .text.empty { color:var(--faint) }
footer { margin-top:72px; padding-top:16px; border-top:1px solid var(--line); color:var(--soft); font-size:13px }
:focus-visible { outline:2px solid var(--ours); outline-offset:2px }
@media (max-width:720px) {
  nav { flex-wrap:nowrap; overflow-x:auto; gap:2px 16px; margin-inline:-16px; padding-inline:16px }
  svg text { font-size:11.5px } svg .tick { font-size:11px }
  section,h3 { scroll-margin-top:48px } svg.map circle { r:7px } svg.map .kept circle { r:13px }
  .facts { grid-template-columns:1fr; gap:1px } .facts dd { margin-bottom:9px }
  .terms dl { grid-template-columns:1fr } .terms dd { margin-bottom:6px }
  main { padding:24px 16px 48px } section { margin-top:48px }
.tiles { grid-template-columns:1fr 1fr; gap:10px }
  .tile { padding:12px 14px } .tile b { font-size:21px } .pair { grid-template-columns:1fr }
  .story { padding:14px 14px 10px }
  .hero { padding-left:14px } .stack thead { position:absolute; clip-path:inset(50%); height:1px; overflow:hidden }
  .stack,.stack tbody,.stack tr,.stack th,.stack td,.stack caption { display:block; text-align:left }
  .stack tr { padding:12px 0; border-bottom:1px solid var(--line) } .stack th,.stack td { border:0; padding:2px 0 }
  .stack tbody th { font-weight:650 } .stack td:empty { display:none }
  .stack td.num { display:inline-block; min-width:0; margin-right:16px }
  .stack td.num:empty { display:none }
  .stack td::before { content:attr(data-label) ": "; color:var(--soft) } .stack td .mini { margin:4px 0 } }
@media print { body { font-size:11pt } main { max-width:none; padding:0 } nav { display:none }
  section,.example,figure,tr { break-inside:avoid } section { break-inside:auto }
  details::details-content { content-visibility:visible; block-size:auto }
  * { print-color-adjust:exact; -webkit-print-color-adjust:exact } }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior:auto } }
"""
