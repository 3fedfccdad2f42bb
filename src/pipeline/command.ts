/** Commands and environments: lists of arguments, never text for a shell to read. */
import { bindTemplate } from './binding.ts';
import { itemsOf, plainText, viewOf } from './binding-view.ts';
import type { Call } from './build.ts';
import type { Binding, Environment, OutputType, Template } from './definition.ts';
import { definitionLimits } from './definition-limits.ts';
import { isPlainText, type Handle } from './handle.ts';
import { misuse, shown } from './misuse.ts';
import { deniedEnvironmentName } from './names.ts';
import type { OptionReader } from './options.ts';
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
export function readCommand(call: Call, options: OptionReader, name: string): readonly Template[] {
  const value = options.raw(name);
  if (!Array.isArray(value))
    return options.wrong(name, 'a list: the program and its arguments, such as ["python3", "train.py"]', value);
  if (value.length === 0) return options.wrong(name, 'a list with at least the program', value);
  const command = readArguments(call, options, name);
  refuseCodeWithReferences(call, command);
  return command;
}

export function readArguments(call: Call, options: OptionReader, name: string): readonly Template[] {
  const value = options.raw(name) ?? [];
  if (!Array.isArray(value)) return options.wrong(name, 'a list of texts', value);
  if (value.length > argumentsMax) return options.wrong(name, `a list of at most ${argumentsMax}`, value);
  return value.map((item: unknown, index) =>
    isPlainText(item) ? item : bindTemplate(call, `${name}[${index}]`, item),
  );
}

export function readEnvironment(call: Call, options: OptionReader): Environment {
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

/** How a program that reads program text is given it, and what else stands among its options. */
interface Interpreter {
  readonly program: RegExp;
  readonly code: RegExp;
  /** The text: right behind the option, behind it as the last of what the interpreter reads, or as the first that is no option. */
  readonly comes: 'next' | 'last' | 'behind options';
  /** The beginning of one that holds the text itself. */
  readonly holding: RegExp;
  /** Takes its value from the next argument: the letters before take none of their own. */
  readonly valued: RegExp;
  /** Long options that take none. */
  readonly flags: RegExp;
}

/** Of any other nothing is known but whether it holds its value itself. */
const longOption = /^--[^=]+$/;
const no = /(?!)/;

const ofOneText = {
  code: /^-[a-z]*[epE]$|^--eval$|^--print$/,
  comes: 'next',
  holding: /^-[a-z]*[eE]|^--(?:eval|print)=/,
} as const;

/** Those of Node and Bun that stand before a program that trains. */
const nodeFlags = new RegExp(
  `^--(?:${[
    'no-[a-z0-9-]+',
    'abort-on-uncaught-exception|enable-source-maps|expose-gc|frozen-intrinsics|jitless|smol|strip-types',
    'allow-(?:addons|child-process|wasi|worker)|permission|preserve-symlinks(?:-main)?',
    'experimental-(?:strip-types|transform-types|vm-modules|wasm-modules|import-meta-resolve|sqlite|require-module)',
    'inspect(?:-brk|-wait)?|(?:cpu-|heap-)?prof|report-(?:compact|on-fatalerror|on-signal|uncaught-exception)',
    '(?:pending|throw)-deprecation|trace-(?:deprecation|exit|gc|promises|sigint|sync-io|tls|uncaught|warnings)',
    'use-(?:bundled-ca|env-proxy|openssl-ca|system-ca)|watch(?:-preserve-output)?',
  ].join('|')})$`,
);

const interpreters: readonly Interpreter[] = [
  {
    program: /^(?:ba|da|z|k|a|fi)?sh$/,
    code: /^-[A-Za-z]*c[A-Za-z]*$|^--command$/,
    comes: 'behind options',
    holding: /^--command=/,
    valued: /^[-+][A-Za-z]*[oO][A-Za-z]*$/,
    flags: /^--(?:no-?[a-z]+|interactive|login|posix|private|restricted|verbose)$/,
  },
  {
    program: /^python[0-9.]*$/,
    code: /^-[A-Za-z]*c$/,
    comes: 'last',
    holding: /^-[A-Za-z]*c/,
    valued: /^-[bBdEhiIOPqRsSuvVx]*[WX]$/,
    flags: no,
  },
  { ...ofOneText, program: /^(?:node|bun|deno)$/, valued: /^-[rC]$/, flags: nodeFlags },
  { ...ofOneText, program: /^Rscript$/, valued: no, flags: /^--(?:no-[a-z-]+|quiet|silent|slave|vanilla|verbose)$/ },
  {
    ...ofOneText,
    program: /^ruby$/,
    code: /^-[alnpsSvwyW0-9]*e$/,
    valued: /^-[alnpsSvwy]*[rCI]$/,
    flags: /^--(?:jit|yjit|verbose|(?:dis|en)able-[a-z-]+)$/,
  },
  {
    ...ofOneText,
    program: /^perl$/,
    code: /^-[acflnpsStTuUvwWX0-9]*[eE]$/,
    valued: /^-[acfnpsStTuUvwWX]*I$/,
    flags: no,
  },
  { ...ofOneText, program: /^lua$/, valued: /^-l$/, flags: no },
];

/** A value inside of program text would be read as program text: branch names and parameters are data. */
export function refuseCodeWithReferences(call: Call, command: readonly Template[]): void {
  if (!command.some((part) => typeof part === 'object')) return;
  for (const [index, part] of command.entries()) {
    if (typeof part !== 'string') continue;
    const program = part.slice(part.lastIndexOf('/') + 1);
    const interpreter = interpreters.find((known) => known.program.test(program));
    const option = interpreter === undefined ? null : optionWithReferences(interpreter, command.slice(index + 1));
    if (option === null) continue;
    misuse(
      'definition-shell',
      `${call.label}: a value of the run is written into the program text of ${program} ${option}`,
      'Give the value as a variable and read it there: env: { NAME: value } and "$NAME" in the text.',
    );
  }
}

/** The option whose program text holds a value of the run, or null. What comes behind a script's name is the script's. */
function optionWithReferences(
  { code, comes, holding, valued, flags }: Interpreter,
  given: readonly Template[],
): string | null {
  let option: string | null = null;
  let mayBeValue = false;
  for (let index = 0; index < given.length; index += 1) {
    const part = given[index] ?? '';
    const start = typeof part === 'string' ? part : part[0];
    const isOption = typeof start === 'string' && /^[-+]./.test(start);
    if (part === '--' || part === '-') return typeof given[index + 1] === 'object' ? option : null;
    if (!isOption) {
      if (option !== null) return typeof part === 'object' ? option : null;
      if (!mayBeValue) return null;
      mayBeValue = false;
    } else if (typeof part === 'object') {
      if (option !== null || holding.test(start)) return option ?? start;
    } else if (code.test(part)) {
      option = part;
      if (comes === 'behind options') {
        // Each `o` of a bundle takes one.
        if (valued.test(part)) index += part.match(/o/gi)?.length ?? 0;
        continue;
      }
      if (typeof given[index + 1] === 'object') return option;
      if (comes === 'last') return null;
      [option, index] = [null, index + 1];
    } else if (valued.test(part)) index += 1;
    else mayBeValue = longOption.test(part) && !flags.test(part);
  }
  return null;
}

/** The lists of the containers beside the step's own, of its hooks and of its patch: wherever a `command` stands. */
export function refuseCodeInPod(call: Call, pod: Binding): void {
  if ('literal' in pod) return;
  const view = viewOf(pod);
  if (view.kind === 'list') for (const item of view.items) refuseCodeInPod(call, item);
  if (view.kind !== 'record') return;
  const parts = ['command', 'args'].flatMap((name) => itemsOf(view.fields.get(name) ?? null));
  refuseCodeWithReferences(call, parts.map(templateOf));
  for (const field of view.fields.values()) refuseCodeInPod(call, field);
}

function templateOf(binding: Binding): Template {
  if ('template' in binding) return binding.template;
  return 'reference' in binding ? [binding.reference] : (plainText(binding) ?? '');
}
