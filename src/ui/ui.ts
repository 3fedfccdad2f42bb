/** Pages, made of read models: data in, documents out. What the server serves and nothing else. */
export { buildAssets, writePrebuiltAssets, type Asset, type Assets } from './assets.ts';
export { errorPage } from './error-page.ts';
export { layOut, graphSource, type Graph, type GraphSource } from './graph-layout.ts';
export { appendLines, firstErrorLine } from './log-blocks.ts';
export { renderPage, type Page } from './page.ts';
export { changeBetween } from './run-change.ts';
export { runPage, runTitle } from './run-page.ts';
export { headOf, panelOf, select, stepViewOf, triggerOf, type ForgeLinks, type Selected } from './run-view-of.ts';
export { logKeyOf, viewLimits, type FailureView, type LogTail, type RunView, type Selection } from './run-view.ts';
