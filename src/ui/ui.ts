/** Pages, made of read models: data in, documents out. What the server serves and nothing else. */
export { buildAssets, type Assets } from './assets.ts';
export { errorPage } from './error-page.ts';
export { layOut, graphSource, type Graph, type GraphSource } from './graph-layout.ts';
export { appendLines, firstErrorLine } from './log-blocks.ts';
export { loginPage } from './login-page.ts';
export { renderPage, type Page } from './page.ts';
export { changeBetween } from './run-change.ts';
export { runPage, runTitle } from './run-page.ts';
export { attemptViewOf, panelOf, select, type Selected } from './panel-of.ts';
export { headOf, stepsText, triggerOf, type ForgeLinks } from './run-view-of.ts';
export { stepViewOf } from './step-view-of.ts';
export {
  logKeyOf,
  runAddress,
  viewLimits,
  type FailureView,
  type LogTail,
  type PanelView,
  type RunChain,
  type FollowLink,
  type RunLink,
  type RunView,
  type UndeliveredView,
  type Selection,
} from './run-view.ts';
export { logPage, type LogSearch } from './log-page.ts';
export { modelPage, modelsPage, type ModelsView, type ModelView, type RegistryTrouble } from './models-page.ts';
export { pipelinesPage, type PipelineItem, type RepositoryView } from './pipelines-page.ts';
export { parameterField, startPage, type StartView } from './start-page.ts';
export { verdictKinds } from './state-mark.ts';
export { runsPage, runStates, type RunsFilter } from './runs-page.ts';
export type { Visitor } from './visitor.ts';
export { withoutAnsi } from './ansi.ts';
