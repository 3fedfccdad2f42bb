/** One step looked at closely: its attempts and why they ended, what it gave, its log. */
import { emptyLogText, logSizeText } from './log-size.ts';
import { html, type Markup } from './html.ts';
import type { LogBlock } from './log-blocks.ts';
import { logBlocks } from './log-lines.ts';
import { descriptionOf } from './markdown-markup.ts';
import { finalStepStates } from '../engine/run.ts';
import { formatBytes } from '../std/bytes.ts';
import { bytesText, countText } from './number-text.ts';
import {
  logAddress,
  panelAddress,
  type AttemptView,
  type LogTail,
  type OutputView,
  type PanelView,
  type RunView,
} from './run-view.ts';
import { runFromAction } from './run-actions.ts';
import { markOf, namedShapeOf, reusedMark, shapeOf, stepMarks } from './state-mark.ts';
import { durationText, timeOf, type Watch } from './time.ts';
import { causeWords } from './failure-panel.ts';
import type { Visitor } from './visitor.ts';

/** The tail of a log, with its lines as blocks. */
export interface ShownLog {
  readonly tail: LogTail;
  readonly blocks: readonly LogBlock[];
}

export function stepPanel(
  view: RunView,
  panel: PanelView,
  log: ShownLog | null,
  watch: Watch,
  visitor: Visitor,
): Markup {
  const mark = stepMarks[panel.state];
  return html`<section class="card step" id="step" aria-labelledby="step-title">
    <header class="card-head">
      <h2 id="step-title">
        <span class=${`tone-${mark.tone}`}>${shapeOf(mark)}</span><code>${panel.step}${panel.mapped ? `[${panel.index}]` : ''}</code><span class=${`state-word tone-${mark.tone}`}>${mark.word}</span>${panel.reusedFrom === null ? null : html`<span class="tone-idle">${shapeOf(reusedMark)}</span><span class="state-word tone-idle">${reusedMark.word}</span>`}
      </h2>
      <p class="muted">
        ${panel.kind}${panel.upstream.length === 0 ? '' : ' after '}${panel.upstream.map((name, at) => html`${at === 0 ? '' : ', '}<a href=${panelAddress(view.head.id, name)}>${name}</a>`)}${panel.triggerRule === 'all_success' ? '' : `, when ${panel.triggerRule}`}
      </p>
      ${runFromAction(view.head, panel.step, visitor)}
    </header>
    ${panel.description === null ? null : descriptionOf(panel.description)}
    ${panel.reason === null || panel.attempts.at(-1)?.message === panel.reason ? null : html`<p class="reason">${panel.reason}</p>`}
    ${panel.dueAt === null || panel.state === 'deferred' ? null : html`<p class="muted">Next try ${timeOf(panel.dueAt, watch)}</p>`}
    ${panel.decision === null ? null : html`<p class="reason">${panel.decision}</p>`}
    ${instancesOf(view, panel)} ${panel.kind === 'approval' || (panel.kind === 'wait' && panel.attempts.length === 0) ? null : attemptsOf(view, panel, watch)}
    ${panel.output === null ? null : outputOf(panel.output)} ${logOf(view, panel, log)}
  </section>`;
}

function instancesOf(view: RunView, panel: PanelView): Markup {
  if (!panel.mapped) return null;
  const hidden = panel.instancesTotal - panel.instances.length;
  return html`<nav class="instances" aria-label=${`Instances of ${panel.step}`}>
    <h3>${countText(panel.instancesTotal, 'instance')}</h3>
    <ul>
      ${panel.instances.map(
        (each) =>
          html`<li key=${each.index}>
            <a
              href=${panelAddress(view.head.id, panel.step, each.index)}
              aria-current=${each.index === panel.index ? 'true' : undefined}>${namedShapeOf(stepMarks[each.state])}<span>${each.index}</span></a>
          </li>`,
      )}
    </ul>
    ${hidden > 0 ? html`<p class="muted">${`and ${hidden} more, the failed ones first; any is at its address: ?step=${panel.step}&index=N`}</p>` : null}
  </nav>`;
}

function attemptsOf(view: RunView, panel: PanelView, watch: Watch): Markup {
  if (panel.reusedFrom !== null)
    return html`<p class="muted">
      It was not started: what it came to <a href=${panelAddress(panel.reusedFrom, panel.step, panel.mapped ? panel.index : null)}>in an earlier run</a> stands here too.
    </p>`;
  if (panel.attempts.length === 0) return notStarted(panel);
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${`Attempts of ${panel.step}`}>
    <table class="attempts cards">
      <thead>
        <tr>
          <th scope="col">Attempt</th>
          <th scope="col">Outcome</th>
          <th scope="col">Started</th>
          <th scope="col" class="right">Queued</th>
          <th scope="col" class="right">Ran</th>
          <th scope="col" class="right">CPU</th>
          <th scope="col" class="right">Memory</th>
          <th scope="col">Where</th>
        </tr>
      </thead>
      <tbody>
        ${panel.attempts.toReversed().map((attempt) => attemptRow(view, panel, attempt, watch))}
      </tbody>
    </table>
  </div>`;
}

/** Where it is known why, the reason stands above. */
function notStarted({ state, reason }: PanelView): Markup {
  if (finalStepStates.has(state)) return html`<p class="muted">It was not started.</p>`;
  return reason === null ? html`<p class="muted">It has not been started.</p>` : null;
}

function attemptRow(view: RunView, panel: PanelView, attempt: AttemptView, watch: Watch): Markup {
  const end = attempt.finishedAt ?? watch.now;
  const shown = attempt.number === panel.attempt;
  return html`<tr key=${attempt.number} class=${shown && panel.attempts.length > 1 ? 'selected' : ''}>
    <th scope="row">
      <a
        href=${panelAddress(view.head.id, panel.step, panel.mapped ? panel.index : null, attempt.number)}
        aria-current=${shown ? 'true' : undefined}>${`#${attempt.number}`}</a>
    </th>
    <td class="outcome wide" data-label="Outcome">
      ${markOf(stepMarks[attempt.state])}${attempt.cause === null ? null : html`<span class="muted">${` ${causeWords[attempt.cause]}${attempt.exitCode === null ? '' : `, exit code ${attempt.exitCode}`}`}</span>`}${attempt.message === null ? null : html`<div class="message">${attempt.message}</div>`}${cacheOf(panel, attempt)}
    </td>
    <td class="nowrap wide" data-label="Started">${timeOf(attempt.startedAt, watch)}</td>
    <td class="right nowrap" data-label="Queued">${durationText((attempt.runningAt ?? end) - attempt.startedAt)}</td>
    <td class="right nowrap" data-label="Ran">${attempt.runningAt === null ? '–' : durationText(end - attempt.runningAt)}</td>
    <td class="right nowrap" data-label="CPU">${attempt.cpuMs === null ? '–' : durationText(attempt.cpuMs)}</td>
    <td class="right nowrap" data-label="Memory">${attempt.memoryBytesMax === null ? '–' : formatBytes(attempt.memoryBytesMax)}${memoryOf(attempt)}</td>
    <td class="wide" data-label="Where">${attempt.place ?? '–'}</td>
  </tr>`;
}

function memoryOf({ memory }: AttemptView): Markup {
  if (memory === null) return null;
  const grown = memory.grownFromBytes === null ? '' : `, grown from ${formatBytes(memory.grownFromBytes)}`;
  return html`<div class="muted">${`of ${formatBytes(memory.bytes)}${grown}`}</div>`;
}

function cacheOf(panel: PanelView, { cache }: AttemptView): Markup {
  if (cache === null) return null;
  if ('missed' in cache) return html`<div class="muted">${`Not from the cache: ${cache.missed}`}</div>`;
  return html`<div class="muted">From the cache of <a href=${panelAddress(cache.runId, panel.step)}>an earlier run</a></div>`;
}

function outputOf(output: OutputView): Markup {
  return html`<div class="output">
    <h3>Output</h3>
    ${
      output.artifacts.length === 0
        ? null
        : html`<div class="scroll" tabindex="0" role="region" aria-label="Artifacts">
            <table class="cards">
              <thead>
                <tr>
                  <th scope="col">Artifact</th>
                  <th scope="col">File</th>
                  <th scope="col" class="right">Size</th>
                  <th scope="col">SHA-256</th>
                </tr>
              </thead>
              <tbody>
                ${output.artifacts.map(
                  (artifact) =>
                    html`<tr>
                      <th scope="row">${artifact.path || 'the whole'}</th>
                      <td class="wide" data-label="File">
                        <a
                          href=${`/artifacts/${artifact.sha256}?${new URLSearchParams({ name: artifact.name })}`}
                          download=${artifact.name}>${artifact.name}</a>
                      </td>
                      <td class="right nowrap" data-label="Size">${bytesText(artifact.bytes)}</td>
                      <td data-label="SHA-256"><code title=${artifact.sha256}>${artifact.sha256.slice(0, 12)}</code></td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
    }
    <details class="json">
      <summary>JSON${output.cut ? ', the beginning' : ''}</summary>
      <pre class="code" tabindex="0">${output.text}</pre>
    </details>
  </div>`;
}

function logOf(view: RunView, panel: PanelView, log: ShownLog | null): Markup {
  if (panel.attempt === null || log === null) return null;
  const address = logAddress(view.head.id, panel.step, panel.index, panel.attempt);
  const { tail, blocks } = log;
  const first = tail.lines[0]?.number ?? 1;
  return html`<div class="log-part">
    <header class="log-head">
      <h3>Log</h3>
      <p class="muted">${logSummary(tail, panel)}</p>
      <p class="log-links">
        <a href=${address} data-key="l">Whole log</a><a href=${`${address}?raw=1`} download>Download</a>
      </p>
    </header>
    ${
      tail.total === 0
        ? null
        : html`<div
            class="log inline"
            tabindex="0"
            role="region"
            aria-label=${`Log of ${panel.step}`}
            data-log
            data-follow=${tail.closed ? undefined : 'true'}>
            ${first > 1 ? html`<p class="log-more"><a href=${address}>${countText(first - 1, 'earlier line')}</a></p>` : null}
            ${logBlocks(blocks, { address, startedAt: tail.lines[0]?.at ?? 0, lineCharactersMax: null })}
          </div>`
    }
  </div>`;
}

function logSummary(tail: LogTail, panel: PanelView): string {
  const size = { ...tail, state: panel.state };
  return tail.total === 0 ? emptyLogText(size) : logSizeText(size);
}
