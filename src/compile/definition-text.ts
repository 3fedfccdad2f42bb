/** Text from the sandbox as a definition, or the reason why it is none. */
import type { PipelineDefinition, Work } from '../pipeline/definition.ts';
import { definitionLimits } from '../pipeline/definition-limits.ts';
import { failure, success, type Result } from '../std/result.ts';
import { unreachable } from '../std/unreachable.ts';
import { compileLimits } from './compile.ts';
import { definitionSchema } from './definition-schema.ts';
import { messageOfError } from '../std/error-message.ts';

/** Parses the answer of the guest; the error is a sentence. */
export function parseGuarded(text: string): Result<unknown, string> {
  if (text.length > definitionLimits.jsonBytesMax)
    return failure(`it has more than ${definitionLimits.jsonBytesMax} bytes as JSON`);
  if (depthOf(text) > compileLimits.resultDepthMax)
    return failure(`it is nested deeper than ${compileLimits.resultDepthMax} levels`);
  try {
    const refuse = (key: string, value: unknown): unknown => {
      if (key === '__proto__') throw new SyntaxError('it has the key "__proto__"');
      return value;
    };
    return success(JSON.parse(text, refuse));
  } catch (error) {
    return failure(messageOfError(error));
  }
}

/** The deepest nesting of lists and objects, counted without recursion. */
export function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (inString) {
      if (character === '\\') index++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth);
    else if (character === ']' || character === '}') depth--;
  }
  return deepest;
}

/** The shape of the contract, with `file` as the home of its functions; the error names the field. */
export function parseDefinition(value: unknown, file: string): Result<PipelineDefinition, string> {
  const parsed = definitionSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
    return failure(`${field}${issue?.message ?? 'it has another shape'}`);
  }
  return success({
    ...parsed.data,
    steps: parsed.data.steps.map((step) => ({ ...step, work: withFile(step.work, file) })),
  });
}

function withFile(work: Work, file: string): Work {
  switch (work.kind) {
    case 'function':
    case 'branch':
    case 'short-circuit':
      return { ...work, file };
    case 'challenge':
      return work.score?.kind === 'function' ? { ...work, score: { ...work.score, file } } : work;
    case 'wait':
      return work.for.condition === 'function' ? { ...work, for: { ...work.for, file } } : work;
    case 'command':
    case 'container':
    case 'gate':
    case 'approval':
      return work;
    default:
      return unreachable(work);
  }
}
