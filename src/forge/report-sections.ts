/** The parts of a report as Markdown blocks, in the order in which a reader asks: what came out, why, what to do. */
import { formatDuration } from '../std/duration.ts';
import { unreachable } from '../std/unreachable.ts';
import { text, type Block } from './blocks.ts';
import { codeBlock, inline, linkTarget, textLimits } from './escape.ts';
import { checkName, type ReportState, type RunReport } from './forge.ts';
import { intervalPlot } from './interval-plot.ts';
import { formatGain, formatNumber, formatPercent } from './number-text.ts';

type Challenge = RunReport['challenges'][number];
type MetricRow = Challenge['verdict']['metrics'][number];

/** Entries of one section; a note says how many more there are. */
const entriesMax = 200;

/** A symbol that every font draws as text, and the word for it. */
export function stateWords(state: ReportState): { readonly symbol: string; readonly word: string } {
  switch (state) {
    case 'pending':
      return { symbol: '○', word: 'queued' };
    case 'running':
      return { symbol: '◐', word: 'running' };
    case 'waiting':
      return { symbol: '◇', word: 'waiting for a decision' };
    case 'success':
      return { symbol: '✓', word: 'passed' };
    case 'failure':
      return { symbol: '✗', word: 'failed' };
    case 'error':
      return { symbol: '‼', word: 'error' };
    case 'neutral':
      return { symbol: '–', word: 'neutral' };
    case 'cancelled':
      return { symbol: '⊘', word: 'cancelled' };
    default:
      return unreachable(state);
  }
}

export function headline(report: RunReport): Block {
  const { symbol, word } = stateWords(report.state);
  return text(`### ${symbol} ${inline(report.pipeline)}: ${word}`);
}

export function sentence(report: RunReport): readonly Block[] {
  return report.summary.trim() === '' ? [] : [text(inline(report.summary, textLimits.sentenceCharactersMax))];
}

/** What the last report said, where it said something else. */
export function previously(report: RunReport, previous: RunReport | null): readonly Block[] {
  if (previous === null || (previous.sha === report.sha && previous.state === report.state)) return [];
  const { symbol, word } = stateWords(previous.state);
  const run = previous.runNumber === null ? '' : `, run ${previous.runNumber}`;
  return [text(`Before: ${symbol} ${word} (${inline(previous.sha.slice(0, 12))}${run}).`)];
}

/** Champion against challenger: the reason, unless the head has said it, the table, the interval. */
export function challengeSections(report: RunReport): readonly Block[] {
  return report.challenges.slice(0, entriesMax).flatMap((challenge) => {
    const { verdict } = challenge;
    const reason = saidByHead(report, challenge)
      ? []
      : [text(inline(verdict.reason, textLimits.sentenceCharactersMax))];
    const version = challenge.championVersion === null ? '' : ` v${challenge.championVersion}`;
    const table: Block = {
      kind: 'table',
      header: ['metric', `champion${version}`, 'challenger', 'change', 'guardrail'],
      align: ['left', 'right', 'right', 'right', 'left'],
      rows: verdict.metrics.map((metric) => metricRow(metric, challenge)),
    };
    const title = text(`#### ${inline(challenge.model)}: ${verdictWord(challenge)} (step ${inline(challenge.step)})`);
    return [title, ...reason, table, ...intervalSection(challenge)];
  });
}

/** Whether the sentence of the report is this verdict's: nobody reads it twice. */
export function saidByHead({ summary }: RunReport, { verdict }: Challenge): boolean {
  return summary.endsWith(verdict.reason);
}

export function verdictWord({ verdict }: Challenge): string {
  switch (verdict.kind) {
    case 'better':
      return 'the challenger is better';
    case 'worse':
      return 'the challenger is worse';
    case 'inconclusive':
      return 'no difference is proven';
    case 'no-champion':
      return 'there is no champion yet';
    case 'below-threshold':
      return 'the challenger is below the threshold';
    default:
      return unreachable(verdict.kind);
  }
}

function metricRow(metric: MetricRow, { verdict }: Challenge): readonly string[] {
  const name = metric.metric === verdict.metric ? `**${inline(metric.metric)}**` : inline(metric.metric);
  return [
    name,
    formatNumber(metric.champion),
    formatNumber(metric.challenger),
    changeText(metric),
    guardrailText(metric),
  ];
}

function changeText({ champion, challenger, greaterIsBetter }: MetricRow): string {
  if (champion === null || challenger === null) return '–';
  const change = challenger - champion;
  if (change === 0) return '0 (same)';
  return `${formatGain(change)} (${change > 0 === greaterIsBetter ? 'better' : 'worse'})`;
}

function guardrailText({ guardrail }: MetricRow): string {
  if (guardrail === null) return '';
  return `${guardrail.held ? '✓ held' : '✗ broken'}, may lose ${formatNumber(guardrail.maxLoss)}`;
}

/** Says in words what the plot draws, so that a reader without monospace or eyes has it too. */
function intervalSection({ verdict }: Challenge): readonly Block[] {
  const { difference } = verdict;
  if (difference === null) return [];
  const method = difference.method === 'delong' ? 'DeLong' : 'paired bootstrap';
  const p = difference.p === null ? '' : `, p = ${formatNumber(difference.p)}`;
  const caption = `Gain in ${inline(verdict.metric)}: ${formatGain(difference.value)}, ${formatPercent(difference.confidence)} % interval ${formatGain(difference.low)} to ${formatGain(difference.high)}; the gate asks for ${formatGain(verdict.required)} (${method}, ${formatNumber(verdict.rows)} rows${p}).`;
  const lines = intervalPlot({ ...difference, required: verdict.required });
  return lines.length === 0 ? [text(caption)] : [text(caption), { kind: 'code', lines }];
}

export function gateSection(report: RunReport): readonly Block[] {
  if (report.gates.length === 0) return [];
  const rows = report.gates.flatMap((gate) =>
    gate.checks.length === 0
      ? [[inline(gate.step), inline(gate.path), '', '', '', gateWord(gate.passed)]]
      : gate.checks.map((check) => [
          inline(gate.step),
          inline(gate.path),
          inline(checkName(check.check) + (check.column === null ? '' : ` of ${check.column}`)),
          formatNumber(check.value),
          inline(check.limit),
          check.passed ? gateWord(true) : `${gateWord(false)}: ${inline(check.message)}`,
        ]),
  );
  const table: Block = {
    kind: 'table',
    header: ['data gate', 'file', 'check', 'value', 'limit', 'result'],
    align: ['left', 'left', 'left', 'right', 'left', 'left'],
    rows: rows.slice(0, entriesMax),
  };
  return [text('#### Data gates'), table, ...more(rows.length, 'checks')];
}

function gateWord(passed: boolean): string {
  return passed ? '✓ passed' : '✗ failed';
}

/** The steps that failed, each with the end of what it said; how the others stand is one line. */
export function stepSection(report: RunReport): readonly Block[] {
  if (report.steps.length === 0) return [];
  const failed = report.steps.filter((step) => step.state === 'failed');
  const counts = new Map<string, number>();
  for (const step of report.steps) counts.set(step.state, (counts.get(step.state) ?? 0) + 1);
  const tally = [...counts].map(([state, count]) => `${count} ${inline(state.replaceAll('_', ' '))}`).join(', ');
  const blocks: Block[] = [];
  if (failed.length > 0) blocks.push(text('#### Failed steps'));
  for (const step of failed.slice(0, entriesMax)) {
    const after = step.durationMs === null ? '' : ` after ${formatDuration(step.durationMs)}`;
    const message = step.message?.trim() ?? '';
    if (message.includes('\n')) {
      blocks.push(text(`**${inline(step.name)}** failed${after}:`), {
        kind: 'code',
        lines: codeBlock(message).slice(1, -1),
      });
    } else {
      blocks.push(
        text(
          `**${inline(step.name)}** failed${after}${message === '' ? '.' : `: ${inline(message, textLimits.sentenceCharactersMax)}`}`,
        ),
      );
    }
  }
  return [...blocks, ...more(failed.length, 'failed steps'), text(`Steps: ${tally}.`)];
}

export function problemSection(report: RunReport): readonly Block[] {
  if (report.problems.length === 0) return [];
  const items = report.problems.slice(0, entriesMax).map((problem) => {
    const place =
      problem.where === null
        ? ''
        : `${inline(`${problem.where.file}:${problem.where.line}:${problem.where.column}`)}: `;
    const help = problem.help === '' ? '' : ` ${inline(problem.help, textLimits.sentenceCharactersMax)}`;
    return `${place}${inline(problem.message, textLimits.sentenceCharactersMax)} (${problem.code}).${help}`;
  });
  return [text('#### Problems'), { kind: 'list', items }, ...more(report.problems.length, 'problems')];
}

export function nextSection(report: RunReport): readonly Block[] {
  const named = report.challenges.filter((challenge) => challenge.next.trim() !== '').slice(0, entriesMax);
  if (named.length === 0) return [];
  const items = named.map(
    ({ model, next }) => `**${inline(model)}**: ${inline(next, textLimits.sentenceCharactersMax)}`,
  );
  return [text('#### What happens next'), { kind: 'list', items }];
}

/** The run, the commit that the report speaks of, and the time that it took. */
export function footer(report: RunReport): Block {
  const target = linkTarget(report.url);
  const name = report.runNumber === null ? 'Report' : `Run ${report.runNumber}`;
  const run = target === null ? (report.runNumber === null ? [] : [name]) : [`[${name}](${target})`];
  const took =
    report.startedAt === null || report.finishedAt === null
      ? []
      : [`took ${formatDuration(Math.max(0, report.finishedAt - report.startedAt))}`];
  return text([...run, speaksOf(report.sha), ...took].join(' · '));
}

/** The same of what is no run. */
export function commitFooter(sha: string): Block {
  return text(speaksOf(sha));
}

function speaksOf(sha: string): string {
  return `speaks of commit ${inline(sha)}`;
}

/** Stands where a report was cut. */
export function cutNotice(url: string | null): Block {
  const target = linkTarget(url);
  return text(
    target === null
      ? '_The report was too long and is cut here._'
      : `_The report was too long and is cut here: [the full report](${target})._`,
  );
}

function more(count: number, of: string): readonly Block[] {
  return count > entriesMax ? [text(`… and ${count - entriesMax} more ${of}.`)] : [];
}
