/**
 * The environment of a step: a short list of the server's own variables, what the step is told about itself, what its
 * definition sets and the secrets that it names. Nothing else of the server's environment gets in, and nothing that
 * would change which code runs (preloads, startup files, options of interpreters, Git's redirections) can be set.
 */
import type { StepContextData } from '../../pipeline/context.ts';
import { AttemptRefusal } from './refusal.ts';

const passedNames = words(`
  PATH LANG LANGUAGE TZ USER LOGNAME
  SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS
  HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy
  CUDA_VISIBLE_DEVICES NVIDIA_VISIBLE_DEVICES VIRTUAL_ENV CONDA_PREFIX`);

const deniedNames = words(`
  BASH_ENV ENV SHELLOPTS BASHOPTS PS4 PROMPT_COMMAND IFS CDPATH GLOBIGNORE
  NODE_OPTIONS NODE_CHANNEL_FD NODE_REPL_EXTERNAL_MODULE PYTHONSTARTUP PYTHONHOME PYTHONINSPECT
  PERL5OPT PERL5LIB PERL5DB RUBYOPT RUBYLIB JAVA_TOOL_OPTIONS _JAVA_OPTIONS`);
const deniedPrefixes = ['LD_', 'DYLD_', 'GIT_', 'CONTENDER_', 'BASH_FUNC_'];

/** Why a step may not set this variable; null where it may. */
function refusedVariable(name: string): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return `${JSON.stringify(name)} is no name of an environment variable: letters, digits and _ are`;
  }
  const upper = name.toUpperCase();
  if (upper.startsWith('CONTENDER_'))
    return `the environment variable ${name} is reserved: CONTENDER_* says what a step is told about itself`;
  if (deniedNames.has(upper) || deniedPrefixes.some((prefix) => upper.startsWith(prefix))) {
    return `a step may not set the environment variable ${name}, because it changes which code runs; set it inside of the command`;
  }
  return null;
}

export interface AttemptPlaces {
  readonly sourceTree: string;
  readonly scratch: string;
  /** Null: it has none. */
  readonly checkpoint: string | null;
  readonly outputs: string;
}

/** Of every step, wherever it runs. */
export const stepDefaults = { PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1', CI: 'true' } as const;

/** The variables of the server that every step gets. */
export function baseEnvironment(server: NodeJS.ProcessEnv): { [name: string]: string } {
  const environment: { [name: string]: string } = { ...stepDefaults };
  for (const [name, value] of Object.entries(server)) {
    if (value !== undefined && (passedNames.has(name) || name.startsWith('LC_'))) environment[name] = value;
  }
  return environment;
}

/** What a step is told about itself. */
export function contextEnvironment(
  attemptId: string,
  context: StepContextData,
  places: AttemptPlaces,
): { [name: string]: string } {
  return {
    HOME: places.scratch,
    TMPDIR: places.scratch,
    CONTENDER_ATTEMPT_ID: attemptId,
    CONTENDER_RUN_ID: context.runId,
    CONTENDER_REPOSITORY: context.repository,
    CONTENDER_PIPELINE: context.pipeline,
    CONTENDER_STEP: context.step,
    CONTENDER_INDEX: String(context.index),
    CONTENDER_ATTEMPT: String(context.attempt),
    CONTENDER_SHA: context.sha,
    CONTENDER_BRANCH: context.branch,
    CONTENDER_TRIGGER: JSON.stringify(context.trigger),
    CONTENDER_DATE: context.date,
    CONTENDER_DATE_NO_DASH: context.dateNoDash,
    CONTENDER_TIMESTAMP: context.timestamp,
    CONTENDER_DATA_INTERVAL_START: context.dataIntervalStart,
    CONTENDER_DATA_INTERVAL_END: context.dataIntervalEnd,
    ...(context.memoryBytes === null ? {} : { CONTENDER_MEMORY_BYTES: String(context.memoryBytes) }),
    CONTENDER_PARAMETERS: JSON.stringify(context.parameters),
    CONTENDER_SOURCE: places.sourceTree,
    CONTENDER_SCRATCH: places.scratch,
    ...(places.checkpoint === null ? {} : { CONTENDER_CHECKPOINT: places.checkpoint }),
    CONTENDER_OUTPUTS: places.outputs,
  };
}

/** The variables that a definition sets, checked. Throws a refusal. */
export function stepEnvironment(values: { readonly [name: string]: string }): { readonly [name: string]: string } {
  for (const [name, value] of Object.entries(values)) {
    const refused = refusedVariable(name);
    if (refused !== null) throw new AttemptRefusal('invalid', refused);
    if (value.includes('\0'))
      throw new AttemptRefusal('invalid', `the value of ${name} holds a NUL character, which no process can be given`);
  }
  return values;
}

/** The secrets that a step names, by name. Throws a refusal for one that is not configured. */
export function readSecrets(
  names: readonly string[],
  secret: (name: string) => string | null,
): ReadonlyMap<string, string> {
  const secrets = new Map<string, string>();
  for (const name of names) {
    const value = secret(name);
    if (value === null)
      throw new AttemptRefusal(
        'invalid',
        `the secret ${name} is not configured for steps: set CONTENDER_SECRET_${name} in the environment of \`contender serve\` or \`contender run\`, or take it out of the step (keys of object stores in contender.yaml are given to no step)`,
      );
    secrets.set(name, value);
  }
  stepEnvironment(Object.fromEntries(secrets));
  return secrets;
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
