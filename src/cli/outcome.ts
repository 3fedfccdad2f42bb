/** The outcome of a run for a reader: gates that failed, verdicts with their interval, what to look at, what ends the command. */
import type { RunOutcome } from '../conductor/reports/outcome.ts';
import type { RunReport } from '../forge/forge.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { statusOfSignal } from './interruption.ts';
import { markOf, oneLine, paint } from './terminal.ts';

/** `isLive`: the steps were redrawn in place, on lines that the terminal cuts off; elsewhere each failure was said in full. */
export function outcomeLines(report: RunReport, stream: NodeJS.WritableStream, isLive: boolean): readonly string[] {
  const lines: string[] = [];
  for (const gate of report.gates) {
    for (const check of gate.checks.filter((each) => !each.passed)) {
      lines.push(`  ${paint('red', 'gate', stream)} ${gate.step}: ${oneLine(check.message)}`);
    }
  }
  for (const challenge of report.challenges) {
    const { verdict } = challenge;
    lines.push(`  ${paint('bold', challenge.model, stream)} ${verdict.kind}: ${oneLine(verdict.reason)}`);
    if (verdict.difference !== null) lines.push(`    ${intervalText(verdict.difference, verdict.required)}`);
    lines.push(`    ${oneLine(challenge.next)}`);
  }
  if (!isLive) return lines;
  for (const step of report.steps.filter((each) => each.state === 'failed' && each.message !== null)) {
    lines.push(`  ${paint('red', step.name, stream)}: ${oneLine(step.message ?? '')}`);
  }
  return lines;
}

interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly confidence: number;
}

function intervalText({ value, low, high, confidence }: Interval, required: number): string {
  const percent = Math.round(confidence * 100);
  return `${signed(value)}, ${percent} % interval ${signed(low)} to ${signed(high)}; asked for ${signed(required)}`;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
}

/** What the run ended as; where it may go on or be looked into, how. */
export function endLines(outcome: RunOutcome, report: RunReport, stream: NodeJS.WritableStream): readonly string[] {
  const line = `${markOf(outcome, stream)} ${outcome}: ${oneLine(report.summary)}`;
  const approvable = report.runId === null ? [] : report.challenges.filter(({ awaitsApproval }) => awaitsApproval);
  const several = approvable.length > 1;
  const approvals = approvable.map(
    ({ model }) => `  make it champion: contender promote ${report.runId}${several ? ` --model ${model}` : ''}`,
  );
  const mayGoOn = (outcome === 'failed' || outcome === 'cancelled') && report.runId !== null;
  if (!mayGoOn) return [line, ...approvals.map((way) => paint('gray', way, stream))];
  const failed = report.steps.find(({ state }) => state === 'failed');
  const ways = [
    `  again from there: contender rerun ${report.runId} --failed`,
    ...(failed === undefined ? [] : [`  a shell in its place: contender debug ${report.runId} ${failed.name}`]),
  ];
  return [line, ...ways.map((way) => paint('gray', way, stream))];
}

/** A run that was cancelled because this command was told to end, ends it as that signal does. */
export function statusOf(outcome: RunOutcome, signal: NodeJS.Signals | null): ExitStatus {
  if (outcome === 'success') return exitStatus.success;
  if (outcome !== 'cancelled' || signal === null) return exitStatus.failed;
  return statusOfSignal(signal);
}
