/** Commands and environments: lists of arguments, never text for a shell to read. */
import { bindTemplate } from './binding.ts';
import type { Environment, OutputType, Template } from './definition.ts';
import { definitionLimits } from './definition-limits.ts';
import { isPlainText, type Handle } from './handle.ts';
import { misuse, shown } from './misuse.ts';
import { deniedEnvironmentName } from './names.ts';
import type { OptionReader } from './options.ts';
import type { StepCall } from './step-options.ts';
import type { Artifact } from './definition.ts';

/** Text in which handles may stand, or a handle by itself. */
export type Text = string | number | boolean | Handle<unknown>;

/** Names and types of what a command or container gives as JSON. */
export type OutputOptions = { readonly [key: string]: OutputType };

/** What a step with these outputs gives. */
export type Outputs<O extends OutputOptions> = { readonly [Key in keyof O]: OutputOf<O[Key]> };

type OutputOf<T extends OutputType> = T extends 'string'
  ? string
  : T extends 'number'
    ? number
    : T extends 'boolean'
      ? boolean
      : T extends 'artifact'
        ? Artifact
        : unknown;

const outputTypes: readonly OutputType[] = ['string', 'number', 'boolean', 'json', 'artifact'];
const argumentsMax = 256;

/** A list of arguments; the first is the program. */
export function readCommand(call: StepCall, options: OptionReader, name: string): readonly Template[] {
  const value = options.raw(name);
  if (!Array.isArray(value))
    return options.wrong(name, 'a list: the program and its arguments, such as ["python3", "train.py"]', value);
  if (value.length === 0) return options.wrong(name, 'a list with at least the program', value);
  const command = readArguments(call, options, name);
  refuseCodeWithReferences(call, command);
  return command;
}

export function readArguments(call: StepCall, options: OptionReader, name: string): readonly Template[] {
  const value = options.raw(name) ?? [];
  if (!Array.isArray(value)) return options.wrong(name, 'a list of texts', value);
  if (value.length > argumentsMax) return options.wrong(name, `a list of at most ${argumentsMax}`, value);
  return value.map((item: unknown, index) =>
    isPlainText(item) ? item : bindTemplate(call, `${name}[${index}]`, item),
  );
}

export function readEnvironment(call: StepCall, options: OptionReader): Environment {
  const entries = options.record('env', /^[^=\0]*$/).map(([key, value]): [string, Template] => {
    const denied = deniedEnvironmentName(key);
    if (denied !== null) {
      misuse(
        'definition-environment',
        `${call.label}: the variable ${shown(key)} ${denied}`,
        'Use another name, and read it in the step.',
      );
    }
    return [key, isPlainText(value) ? value : bindTemplate(call, `env.${key}`, value)];
  });
  return Object.fromEntries(entries);
}

export function readOutputs(options: OptionReader): { readonly [key: string]: OutputType } {
  const entries = options.record('outputs').map(([key, value]): [string, OutputType] => {
    const type = outputTypes.find((known) => known === value);
    return [key, type ?? options.wrong(`outputs.${key}`, `one of ${outputTypes.join(', ')}`, value)];
  });
  const { outputsMax } = definitionLimits;
  if (entries.length > outputsMax)
    options.problem(
      `option "outputs" has ${entries.length} names, more than ${outputsMax}`,
      'Give one of the type "json" that holds them, or a file.',
    );
  return Object.fromEntries(entries);
}

/** Options after which an interpreter takes its program from the next argument. */
const codeOptions: readonly (readonly [RegExp, RegExp])[] = [
  [/^(?:ba|da|z|k|a|fi)?sh$/, /^-[a-z]*c[a-z]*$|^--command$/],
  [/^python[0-9.]*$/, /^-[A-Za-z]*c$/],
  [/^(?:node|bun|deno|ruby|perl|Rscript|lua)$/, /^-[a-z]*[epE]$|^--eval$|^--print$/],
];

function isCodeOption(part: Template): boolean {
  return typeof part === 'string' && part.startsWith('-') && codeOptions.some(([, option]) => option.test(part));
}

/** A value inside of program text would be read as program text: branch names and parameters are data. */
export function refuseCodeWithReferences(call: StepCall, command: readonly Template[]): void {
  if (!command.some((part, index) => typeof command[index + 1] === 'object' && isCodeOption(part))) return;
  for (const [index, part] of command.entries()) {
    if (typeof part !== 'string') continue;
    const program = part.slice(part.lastIndexOf('/') + 1);
    const option = codeOptions.find(([pattern]) => pattern.test(program))?.[1];
    if (option === undefined) continue;
    const after = command.slice(index + 1);
    const at = after.findIndex((item) => typeof item === 'string' && option.test(item));
    const flag = after[at];
    if (typeof flag !== 'string' || typeof after[at + 1] !== 'object') continue;
    misuse(
      'definition-shell',
      `${call.label}: a value of the run is written into the program text of ${program} ${flag}`,
      'Give the value as a variable and read it there: env: { NAME: value } and "$NAME" in the text.',
    );
  }
}
