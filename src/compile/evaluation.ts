/** What the sandbox answered, as a version or as problems with the place in the user's file. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { pipeline, step } from '../pipeline/index.ts';
import { messageOfError } from '../std/error-message.ts';
import { canonicalJson, type Json } from '../std/json.ts';
import { problemCodes } from '../std/problem-codes.ts';
import type { Place, Problem } from '../std/problem.ts';
import { parseSchedule } from '../calendar/calendar.ts';
import { unreachable } from '../std/unreachable.ts';
import type { Bundle } from './bundle.ts';
import { modulesHelp } from './commit-files.ts';
import { compileLimits, type Compiled, type PipelineVersion } from './compile.ts';
import { brokenRules } from './definition-rules.ts';
import { parseDefinition, parseGuarded } from './definition-text.ts';
import { placesIn } from './places.ts';
import { checkPods } from './pod-check.ts';
import { notReached, problem, startOf } from './refusal.ts';
import type { Evaluation } from './sandbox.ts';

export type Outcome =
  | { readonly version: PipelineVersion; readonly problems: readonly []; readonly where: Compiled['where'] }
  | { readonly version: null; readonly problems: readonly Problem[] };

export function refused(...problems: readonly Problem[]): Extract<Outcome, { version: null }> {
  return { version: null, problems };
}

/** Judges a definition of its own: what judging needs is made at the first use, which takes ten times as long as a later one. */
export function rehearse(): void {
  const { definition } = pipeline('rehearsal', {}, ({ date }) => {
    const load = step('load', { command: ['true', date], outputs: { rows: 'number' } });
    step('train', { command: ['true'], env: { ROWS: load.rows } });
  });
  judge('', { code: '', map: '{}' }, { kind: 'json', text: JSON.stringify({ definition, stack: '' }) });
}

/** Never throws: it is called from where nobody would catch it, about what anybody may have written. */
export function judge(file: string, bundle: Bundle, evaluation: Evaluation): Outcome {
  try {
    return judgeEvaluation(file, bundle, evaluation);
  } catch (error) {
    const message = `the definition cannot be judged: ${messageOfError(error)}`;
    return refused(problem('definition-invalid', message, 'Use the words of "contender" to define it.', startOf(file)));
  }
}

function judgeEvaluation(file: string, bundle: Bundle, evaluation: Evaluation): Outcome {
  const start = startOf(file);
  switch (evaluation.kind) {
    case 'json':
      return judgeAnswer(file, bundle, evaluation.text);
    case 'threw':
      return refused(judgeThrown(file, bundle, evaluation));
    case 'killed':
      return refused(tooSlow(start));
    case 'crashed':
      return refused(endsProcesses(evaluation, start));
    case 'not-reached':
      return refused(notReached(start));
    case 'too-large':
    case 'differs': {
      const [code, message, help] = plainRefusals[evaluation.kind];
      return refused(problem(code, message, help, start));
    }
    default:
      return unreachable(evaluation);
  }
}

const plainRefusals = {
  'too-large': [
    'definition-limit',
    'the definition has more than 1 MiB as JSON',
    'Keep data in files and let the steps read it.',
  ],
  differs: [
    'definition-impure',
    'two evaluations of the definition gave different results',
    'A definition is a pure function of the commit: it may not depend on how much memory or stack there is.',
  ],
} as const;

const lessHelp = 'Build less: a definition only describes the steps, and they do the work.';

function beyond(what: string, where: Problem['where']): Problem {
  return problem('definition-limit', `the definition ${what}`, lessHelp, where);
}

/** Where it is the definition that ends them. */
export function endsProcesses({ message }: { readonly message: string }, where: Place): Problem {
  return beyond(`ended the compiler's processes again and again (${message})`, where);
}

function tooSlow(where: Problem['where']): Problem {
  return problem(
    'definition-limit',
    `the definition takes longer than ${compileLimits.evaluationMs / 1000} s`,
    'Take the endless loop or the heavy work out: a definition only describes the steps, and they do the work.',
    where,
  );
}

const answerSchema = z.union([
  z.object({ missing: z.string() }),
  z.object({
    definition: z.unknown(),
    stack: z.string(),
    stacks: z.record(z.string(), z.string()).exactOptional(),
  }),
]);

function judgeAnswer(file: string, bundle: Bundle, text: string): Outcome {
  const start = startOf(file);
  const parsed = parseGuarded(text);
  if (!parsed.ok)
    return refused(
      problem(
        'definition-invalid',
        `the definition cannot be read: ${parsed.error}`,
        'Use the words of "contender" to define it.',
        start,
      ),
    );
  const answer = answerSchema.safeParse(parsed.value);
  if (!answer.success)
    return refused(
      problem(
        'definition-invalid',
        'the default export is no definition',
        'Use the words of "contender" to define it.',
        start,
      ),
    );
  if ('missing' in answer.data) return refused(missing(file, answer.data.missing));
  const { stack, stacks = {} } = answer.data;
  const { map } = bundle;
  const whereIn = (placeOf: ReturnType<typeof placesIn>, step: string | null): Place => {
    const called = step !== null && Object.hasOwn(stacks, step) ? (stacks[step] ?? '') : '';
    return placeOf(called) ?? placeOf(stack) ?? start;
  };
  const places = placesIn(map);
  const where = (step: string | null = null): Place => whereIn(places, step);
  const shaped = parseDefinition(answer.data.definition, file);
  if (!shaped.ok)
    return refused(
      problem(
        'definition-invalid',
        `the definition has another shape than it must: ${shaped.error}`,
        'Use the words of "contender" to define it.',
        where(),
      ),
    );
  const broken = brokenRules(shaped.value);
  if (broken.length > 0) {
    const place = where();
    return refused(
      ...broken.map((sentence) =>
        problem(
          'definition-invalid',
          sentence,
          'Use the handles that the words give back: they keep the edges right.',
          place,
        ),
      ),
    );
  }
  const { definition, wrong } = checkPods(shaped.value);
  if (wrong.length > 0) {
    return refused(
      ...wrong
        .slice(0, compileLimits.problemsMax)
        .map(({ step: name, message, help }) => problem('definition-pod', message, help, where(name))),
    );
  }
  const { schedule } = definition.on;
  const read = schedule === null ? null : parseSchedule(schedule.cron, schedule.timeZone);
  if (read?.ok === false) {
    return refused(
      problem('definition-option', read.error, 'Correct on.schedule; "0 2 * * 1" is Mondays at 02:00.', where()),
    );
  }
  // It is kept for long, and a map that was read takes many times its text.
  return { version: versionOf(definition), problems: [], where: (step) => whereIn(placesIn(map), step) };
}

function missing(file: string, exported: string): Problem {
  const what = exported === 'none' ? 'has no default export' : `exports ${exported} by default, which is no pipeline`;
  return problem(
    'definition-missing',
    `${file} ${what}`,
    'Write `export default pipeline(...)`. Files that pipelines share belong into a folder below, such as .pipelines/shared.',
    startOf(file),
  );
}

function versionOf(definition: PipelineDefinition): PipelineVersion {
  // Plain data by the schema: an interface only lacks the index signature that `Json` has.
  const canonical = canonicalJson(definition as unknown as Json);
  return { definition, canonical, digest: createHash('sha256').update(canonical).digest('hex') };
}

const thrownSchema = z.object({
  problem: z
    .object({ code: z.enum(problemCodes), message: z.string().max(4000), help: z.string().max(4000) })
    .nullable(),
  name: z.string(),
  message: z.string(),
  stack: z.string(),
  shown: z.string(),
});

function judgeThrown(file: string, bundle: Bundle, evaluation: Extract<Evaluation, { kind: 'threw' }>): Problem {
  const parsed = evaluation.text === null ? null : parseGuarded(evaluation.text);
  const thrown = parsed?.ok === true ? thrownSchema.safeParse(parsed.value).data : undefined;
  if (thrown === undefined) {
    const start = startOf(file);
    return evaluation.late ? tooSlow(start) : beyond('runs out of memory', start);
  }
  const where = placesIn(bundle.map)(thrown.stack) ?? startOf(file);
  if (evaluation.late) return tooSlow(where);
  if (thrown.problem !== null) return problem(thrown.problem.code, thrown.problem.message, thrown.problem.help, where);
  if (thrown.name === 'InternalError' || (thrown.name === '' && thrown.message === '' && thrown.shown === 'null')) {
    const what = thrown.message.includes('stack')
      ? 'runs out of stack (a function that calls itself?)'
      : `needs more than ${compileLimits.memoryBytes / 1024 / 1024} MiB of memory`;
    return beyond(what, where);
  }
  return judgeError(thrown, where);
}

const platformNames =
  /^'?(process|Buffer|setTimeout|setInterval|setImmediate|queueMicrotask|fetch|performance|crypto|structuredClone|URL|URLSearchParams|TextEncoder|TextDecoder|AbortController|AbortSignal|Intl|WebAssembly|SharedArrayBuffer|Atomics|WeakRef|FinalizationRegistry|window|document|global|__dirname|__filename)'? is not defined/;

/** As the engine says that they are not there, and what the bundler makes of a `require` that it cannot follow. */
const commonJsNames = /^'?(?:require|module|exports)'? is not defined|^Dynamic require of /;

function judgeError(thrown: z.infer<typeof thrownSchema>, where: Problem['where']): Problem {
  const platform = thrown.name === 'ReferenceError' ? platformNames.exec(thrown.message)?.[1] : undefined;
  if (platform !== undefined) {
    return problem(
      'definition-impure',
      `${platform} is not there while a pipeline is defined`,
      'A definition is a pure function of the commit: use it inside the function of a step.',
      where,
    );
  }
  if (commonJsNames.test(thrown.message))
    return problem('definition-import', 'the file is in CommonJS (require, module.exports)', modulesHelp, where);
  const what = thrown.name === '' ? thrown.shown : `${thrown.name}: ${thrown.message}`;
  return problem(
    'definition-threw',
    `the definition threw ${what}`,
    'Correct the line; what depends on data or on the outside belongs into the function of a step.',
    where,
  );
}
