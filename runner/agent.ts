/**
 * The program of a pod or worker that carries out one attempt. Where the server is and the token that it is asked with
 * come from the environment; everything else is the server's answer.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { createAgent } from '../src/executor/agent/agent.ts';
import { createLink } from '../src/executor/agent/link.ts';
import { agentFolder, secretsFolder } from '../src/executor/agent/places.ts';
import { unpack } from '../src/executor/agent/unpack.ts';
import { stepDefaults } from '../src/executor/local/environment.ts';
import { openMachine } from '../src/executor/local/machine.ts';
import { messageOfError } from '../src/std/error-message.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Taken out of the environment, which the processes of the step get. */
function take(name: string): string {
  const value = process.env[name];
  delete process.env[name];
  if (value !== undefined && value !== '') return value;
  process.stderr.write(`${name} is not set: this program is started by Contender, with what to do\n`);
  return process.exit(2);
}

const held = process.env['CONTENDER_AGENT_HOLD'];
if (held !== undefined) await hold(Number(held) * 1000);
const url = take('CONTENDER_AGENT_URL').replace(/\/$/, '');
const token = take('CONTENDER_AGENT_TOKEN');
const directory = process.env['CONTENDER_AGENT_DIRECTORY'] ?? agentFolder;
const nodeModules = process.env['CONTENDER_AGENT_NODE_MODULES'] ?? null;
for (const name of ['CONTENDER_AGENT_DIRECTORY', 'CONTENDER_AGENT_NODE_MODULES']) delete process.env[name];
const given = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
);

const agent = createAgent({
  link: createLink({ url, token, say }),
  place: null,
  directory,
  secretsFolder,
  nodeModules,
  openMachine(work) {
    const machine = openMachine({ directory: work, environment: { ...stepDefaults, ...given }, single: true });
    return { machine, close: () => machine.close() };
  },
  sources: null,
  clock: { now: Date.now },
  unpack,
});

/** Nothing is carried out: somebody opens a shell here, and finds how functions are run. */
async function hold(ms: number): Promise<never> {
  process.on('SIGTERM', () => process.exit(0));
  const { writeOnceScript } = await import('../src/executor/debug/scripts.ts');
  await writeOnceScript(agentFolder);
  await pause(ms);
  return process.exit(0);
}

process.on('SIGTERM', () => {
  say('It is to end.');
  agent.stop();
});
try {
  const { outcome } = await agent.run();
  // That a helper has done its part says nothing of its container.
  say(outcome.kind === 'succeeded' ? 'It has ended.' : `It has ended: ${outcome.kind}.`);
  process.exit(outcome.kind === 'failed' ? 1 : 0);
} catch (error) {
  say(`It is given up: ${messageOfError(error)}`);
  process.exit(3);
}
