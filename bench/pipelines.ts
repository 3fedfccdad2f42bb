/** The workloads as pipelines: steps that do nothing, in a row and side by side, as functions and as commands. */
const head = "import { pipeline, step } from 'contender';\n";

function pipelineOf(name: string, body: string): string {
  return `${head}export default pipeline('${name}', { on: {} }, () => {\n${body}\n});\n`;
}

export function chainOf(kind: 'function' | 'command', length: number): string {
  const work = kind === 'function' ? 'run: () => null' : "command: ['true']";
  return pipelineOf(
    `chain-${kind}`,
    `  let before = [];\n  for (let i = 0; i < ${length}; i += 1) before = [step(\`step-\${i}\`, { after: before, ${work} })];`,
  );
}

export function fanOf(kind: 'function' | 'command', width: number): string {
  const work = kind === 'function' ? 'run: () => null' : "command: ['true']";
  return pipelineOf(`fan-${kind}`, `  for (let i = 0; i < ${width}; i += 1) step(\`step-\${i}\`, { ${work} });`);
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
