/** Which names a definition may use. Shared by the words, which refuse early with a place, and by compile, which proves. */

export const pipelineNamePattern = /^[a-z][a-z0-9-]{0,62}$/;
/** One part of a step's name; groups stand in front, with slashes. */
export const stepNamePattern = /^[a-z][a-z0-9_-]*(?:\/[a-z][a-z0-9_-]*)*$/;
/** Parameters, axes of a map and output keys: what can be written after a dot. */
export const identifierPattern = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;
/** A word, or an address: `churn-features`, `s3://lake/churn/features`. */
export const datasetNamePattern = /^[A-Za-z0-9][A-Za-z0-9._:/@=+-]{0,199}$/;
/** Kubernetes': of namespaces and volumes, which are called as a part of a host is. */
export const kubernetesLabelPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
export const environmentNamePattern = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** Why no image can be called so, or null where one may be. A host in front may have capitals; the rest may not. */
export function imageMistake(image: string): string | null {
  if (image === '') return 'is empty';
  if (/\s/.test(image)) return 'has a space in it';
  const [first = '', ...rest] = (image.split('@')[0] ?? '').split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const path = isHost ? rest : [first, ...rest];
  const [last = ''] = (path.pop() ?? '').split(':', 1);
  return /[A-Z]/.test([...path, last].join('/')) ? 'has a capital letter in its name' : null;
}

/** Of an image that is named by its digest, the digest; null where a tag names it, which may be moved to another one. */
export function imageDigestOf(image: string): string | null {
  return /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1] ?? null;
}

const deniedNames: ReadonlySet<string> = new Set(
  [
    'BASH_ENV ENV SHELLOPTS BASHOPTS PS4 PROMPT_COMMAND IFS CDPATH GLOBIGNORE',
    'NODE_OPTIONS NODE_CHANNEL_FD NODE_REPL_EXTERNAL_MODULE PYTHONSTARTUP PYTHONHOME PYTHONINSPECT',
    'PERL5OPT PERL5LIB PERL5DB RUBYOPT RUBYLIB JAVA_TOOL_OPTIONS _JAVA_OPTIONS',
  ].flatMap((line) => line.split(' ')),
);
const deniedPrefix = /^(?:LD|DYLD|GIT|BASH_FUNC)_/;

/** Why a step may not set this variable, or null where it may: names that change which program runs are not its to set. */
export function deniedEnvironmentName(name: string): string | null {
  if (!environmentNamePattern.test(name)) return 'is no name of an environment variable';
  const upper = name.toUpperCase();
  if (upper.startsWith('CONTENDER_')) return 'is set by Contender itself';
  if (deniedNames.has(upper) || deniedPrefix.test(upper)) {
    return 'changes which code runs before the step does';
  }
  return null;
}
