/**
 * What a step names of its output to tell whether the data that it updates are others. It is looked at once, before the
 * success is kept: what is not there is a failure, and of an output that is stored the digest goes with it.
 */
import { createHash } from 'node:crypto';
import type { AttemptOutcome, StepOutput } from '../../engine/event.ts';
import type { Run } from '../../engine/run.ts';
import { messageOfError } from '../../std/error-message.ts';
import { canonicalJson, isJsonObject, type Json } from '../../std/json.ts';
import { parseAttemptId, type AttemptReport } from '../../executor/executor.ts';
import type { ArtifactStore } from '../../outputs/outputs.ts';

/** The keys of the output that the step names, where the report is of its success. */
export function namedOutputs(report: AttemptReport, run: Run): readonly string[] {
  if (report.type !== 'finished' || report.outcome.kind !== 'succeeded') return [];
  const updates = run.steps.get(parseAttemptId(report.attemptId)?.step ?? '')?.definition.updates ?? [];
  return updates.flatMap(({ output }) => output?.[0] ?? []);
}

/** The report itself where there is nothing to look at. */
export async function withNamedOutputs(
  report: AttemptReport,
  run: Run,
  { artifacts }: { readonly artifacts: Pick<ArtifactStore, 'getBytes'> },
): Promise<AttemptReport> {
  const keys = namedOutputs(report, run);
  if (keys.length === 0 || report.type !== 'finished' || report.outcome.kind !== 'succeeded') return report;
  const looked = await lookAt(report.outcome, keys, report.attemptId, artifacts);
  return looked === report.outcome ? report : { ...report, outcome: looked };
}

async function lookAt(
  outcome: Extract<AttemptOutcome, { kind: 'succeeded' }>,
  keys: readonly string[],
  attemptId: string,
  artifacts: Pick<ArtifactStore, 'getBytes'>,
): Promise<AttemptOutcome> {
  try {
    const { output } = outcome;
    const value = await valueOf(output, artifacts);
    const missing = keys.find((key) => !isJsonObject(value) || !Object.hasOwn(value, key));
    if (missing !== undefined) return failed(`the output "${missing}" is missing, which \`updates\` names`);
    if ('inline' in output || !isJsonObject(value)) return outcome;
    const digests = Object.fromEntries(keys.map((key) => [key, digestOf(value[key] ?? null)]));
    return { ...outcome, output: { ...output, digests } };
  } catch (error) {
    return failed(unreadable(attemptId, keys, messageOfError(error)));
  }
}

async function valueOf(output: StepOutput, artifacts: Pick<ArtifactStore, 'getBytes'>): Promise<Json> {
  if ('inline' in output) return output.inline;
  const bytes = await artifacts.getBytes(output.stored.$artifact);
  if (bytes === null) {
    const { name, $artifact } = output.stored;
    throw new Error(`${name} (SHA-256 ${$artifact}) is not in the artifact store any more`);
  }
  return JSON.parse(Buffer.from(bytes).toString());
}

/** It may have been made in an earlier run, and what is gone is not taken from the step cache again. */
function unreadable(attemptId: string, keys: readonly string[], why: string): string {
  const { runId = '', step = '' } = parseAttemptId(attemptId) ?? {};
  const names = keys.map((key) => `"${key}"`).join(', ');
  const again = `Run it again: contender rerun ${runId} --from ${step}`;
  return `the output of step "${step}", of which \`updates\` names ${names}, cannot be read: ${why}. ${again}`;
}

function failed(message: string): AttemptOutcome {
  return { kind: 'failed', cause: 'output', message, exitCode: null };
}

/** Of an artifact its own, of anything else that of its JSON; null where there is nothing. */
export function digestOf(value: Json): string | null {
  if (value === null) return null;
  if (isJsonObject(value) && typeof value['$artifact'] === 'string') return value['$artifact'];
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
