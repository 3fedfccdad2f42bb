/** The workloads as pipelines: steps that do nothing, in a row and side by side, as functions and as commands. */
export type StepKind = 'function' | 'command';

const head = "import { map, pipeline, step } from 'contender';\n";

function pipelineOf(name: string, body: string): string {
  return `${head}export default pipeline('${name}', { on: {} }, () => {\n${body}\n});\n`;
}

function workOf(kind: StepKind): string {
  return kind === 'function' ? 'run: () => null' : "command: ['true']";
}

export function chainOf(name: string, kind: StepKind, length: number): string {
  return pipelineOf(
    name,
    `  let before = [];\n  for (let i = 0; i < ${length}; i += 1) before = [step(\`step-\${i}\`, { after: before, ${workOf(kind)} })];`,
  );
}

/** A first step, a mapped one of `width` instances, a last one: a definition does not grow with the width. */
export function fanOf(name: string, kind: StepKind, width: number): string {
  return pipelineOf(
    name,
    `  const first = step('first', { ${workOf(kind)} });
  const index = Array.from({ length: ${width} }, (_, place) => place);
  const middle = map({ index }, () => step('middle', { after: [first], ${workOf(kind)} }), { maxLength: ${width} });
  step('last', { after: [middle], ${workOf(kind)} });`,
  );
}

/** One step that tells when it began. */
export function clockOf(name: string): string {
  return pipelineOf(name, "  step('clock', { run: () => performance.timeOrigin + performance.now() });");
}

/** So many instances of one step that waits, in a run. */
export function waitingOf(name: string, condition: string, width: number, interval: string): string {
  return `import { map, pipeline, waitFor } from 'contender';
export default pipeline('${name}', {}, ({ date, runId }) => {
  const interval = '${interval}';
  map({ index: [...Array(${width}).keys()] }, ({ index }) => ${condition});
});
`;
}

/** Fifty steps with inputs, templates and retries: what a large pipeline looks like. `salt` makes it a new one. */
export function largePipeline(salt: number): string {
  return `${head}export default pipeline('large-${salt}', { on: { push: { branches: ['main'] } }, retries: 2, retryDelay: '1m' }, ({ date }) => {
  const source = step('source', { command: ['python3', 'load.py', '--date', date], outputs: { path: 'string', rows: 'number' } });
  for (let i = 0; i < 49; i += 1) {
    step(\`train-\${i}\`, { command: ['python3', 'train.py', '--input', source.path], env: { SALT: '${salt}', ROWS: \`\${source.rows}\`, INDEX: String(i) } });
  }
});
`;
}
