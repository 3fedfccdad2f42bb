/**
 * A report as plain text, for a terminal and for Git notes. One commit has one note, and several pipelines speak of the
 * same commit, so a note is made of sections that each begin with the pipeline's context:
 *
 *     contender/weekly-churn ✗ failed
 */
import { formatDuration } from '../std/duration.ts';
import { formatProblem } from '../std/problem.ts';
import { plainLine, plainLines, textLimits } from './escape.ts';
import { checkName, reportContext, type RunReport } from './forge.ts';
import { intervalPlot } from './interval-plot.ts';
import { formatGain, formatNumber, formatPercent } from './number-text.ts';
import { saidByHead, stateWords, verdictWord } from './report-sections.ts';

/** Of one note, in UTF-16 units: the oldest sections leave first. */
const noteUnitsMax = 256 * 1024;
const sectionUnitsMax = 60_000;

/** One line: what a terminal shows when a report changes. */
export function reportLine(report: RunReport): string {
  const { symbol, word } = stateWords(report.state);
  const summary = plainLine(report.summary, textLimits.sentenceCharactersMax);
  const run = report.runNumber === null ? '' : ` run ${report.runNumber}`;
  return `${symbol} ${plainLine(report.pipeline)}${run} ${word} on ${plainLine(report.sha.slice(0, 12))}${summary === '' ? '' : `: ${summary}`}`;
}

/** The section of one pipeline. */
function reportNote(report: RunReport): string {
  const { symbol, word } = stateWords(report.state);
  const lines = [
    `${sectionStart(report.pipeline)}${symbol} ${word}`,
    ...indented([
      report.summary,
      ...(report.runNumber === null ? [] : [`run ${report.runNumber}${report.url === null ? '' : `  ${report.url}`}`]),
      ...(report.startedAt === null || report.finishedAt === null
        ? []
        : [`took ${formatDuration(Math.max(0, report.finishedAt - report.startedAt))}`]),
      ...report.challenges.flatMap((challenge) => challengeLines(report, challenge)),
      ...report.gates.flatMap(gateLines),
      ...report.steps
        .filter((step) => step.state === 'failed')
        .flatMap((step) => [
          `step ${step.name} failed`,
          ...(step.message === null ? [] : indented(lastLines(step.message))),
        ]),
      ...report.problems.flatMap((problem) => formatProblem(problem).split('\n')),
    ]),
  ];
  return lines
    .map((line) => plainLines(line).trimEnd())
    .filter((line) => line !== '')
    .join('\n')
    .slice(0, sectionUnitsMax)
    .toWellFormed();
}

/** `note` with the section of this report's pipeline set; the others stay as they are. */
export function mergeNote(note: string | null, report: RunReport): string {
  const start = sectionStart(report.pipeline);
  const others = (note ?? '')
    .split(/\n(?=contender\/)/)
    .map((section) => section.trim())
    .filter((section) => section !== '' && !section.startsWith(start));
  const sections = [...others, reportNote(report)];
  while (sections.length > 1 && sections.join('\n\n').length > noteUnitsMax) sections.shift();
  return `${sections.join('\n\n')}\n`;
}

function sectionStart(pipeline: string): string {
  return `${reportContext(plainLine(pipeline))} `;
}

function challengeLines(report: RunReport, challenge: RunReport['challenges'][number]): readonly string[] {
  const { model, championVersion, verdict, next } = challenge;
  const rows = verdict.metrics.map(
    ({ metric, champion, challenger, guardrail }) =>
      `${metric.padEnd(18)} ${formatNumber(champion).padStart(10)} ${formatNumber(challenger).padStart(10)}${guardrail === null ? '' : guardrail.held ? '  guardrail held' : '  guardrail broken'}`,
  );
  const { difference } = verdict;
  const interval =
    difference === null
      ? []
      : [
          `gain ${formatGain(difference.value)}, ${formatPercent(difference.confidence)} % interval ${formatGain(difference.low)} to ${formatGain(difference.high)}, gate ${formatGain(verdict.required)}`,
          ...intervalPlot({ ...difference, required: verdict.required }),
        ];
  const champion = championVersion === null ? 'champion' : `champion v${championVersion}`;
  return [
    `model ${model}: ${saidByHead(report, challenge) ? verdictWord(challenge) : verdict.reason}`,
    ...indented([`${'metric'.padEnd(18)} ${champion.padStart(10)} challenger`, ...rows, ...interval]),
    next,
  ];
}

function gateLines({ step, passed, path, checks }: RunReport['gates'][number]): readonly string[] {
  const failed = checks
    .filter((check) => !check.passed)
    .map(
      (check) =>
        `${checkName(check.check)}${check.column === null ? '' : ` of ${check.column}`} is ${formatNumber(check.value)}, ${check.limit}: ${check.message}`,
    );
  return [`data gate ${step} ${passed ? 'passed' : 'failed'}: ${path}`, ...indented(failed)];
}

function lastLines(message: string): readonly string[] {
  return plainLines(message).trimEnd().split('\n').slice(-textLimits.codeLinesMax);
}

/** Indented text never looks like the start of a section. */
function indented(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => plainLines(line).split('\n')).map((line) => `  ${line}`);
}
