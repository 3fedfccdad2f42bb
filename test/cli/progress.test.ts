import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveProgress } from '../../src/cli/live-progress.ts';
import { isLive } from '../../src/cli/open-progress.ts';
import { ProgressLines } from '../../src/cli/progress.ts';
import { stepWaits } from '../../src/conductor/waits/step-waits.ts';
import { mapOver, pipelineOf, stepOf } from '../support/definitions.ts';
import { openedAt, outcomes } from '../support/drive.ts';
import { Scenario } from '../support/scenario.ts';
import { Screen } from './screen.ts';

const chain = pipelineOf([stepOf({ name: 'features' }), stepOf({ name: 'train', upstream: ['features'] })]);

function onScreen(
  screen = new Screen(),
  whyWaiting: () => string | null = () => null,
): {
  screen: Screen;
  progress: LiveProgress;
  clock: { second: number; tick: () => void; stopped: boolean };
} {
  const clock = { second: 0, tick: (): void => undefined, stopped: false };
  const progress = new LiveProgress(screen, {
    now: () => openedAt + clock.second * 1000,
    waits: (run, step) => stepWaits(run, step, null, { whyWaiting, waiting: () => [] }, openedAt),
    every(tick) {
      clock.tick = tick;
      return () => {
        clock.stopped = true;
      };
    },
  });
  return { screen, progress, clock };
}

test('on a terminal, the list of steps stands still while its lines change', () => {
  const { screen, progress, clock } = onScreen();
  const scenario = new Scenario(chain);
  scenario.proceed(0);
  scenario.running(0, 'features');
  progress.show(scenario.run);
  assert.equal(screen.text(), '  ▶ features running 0 ms\n  · train waiting for features');

  clock.second = 41;
  clock.tick();
  assert.equal(screen.text(), '  ▶ features running 41.0 s\n  · train waiting for features');

  clock.second = 60;
  scenario.finished(50, 'features', outcomes.succeeded());
  scenario.running(60, 'train');
  progress.show(scenario.run);
  assert.equal(screen.text(), '  ✓ features success 50.0 s\n  ▶ train running 10.0 s');
});

test('a step whose memory has grown says so', () => {
  const { screen, progress } = onScreen();
  const memory = { bytes: 2 ** 31, growth: { factor: 2, limitBytes: 2 ** 34 } };
  const retry = { count: 2, delayMs: 1000, factor: 1, delayMaxMs: 1000 };
  const scenario = new Scenario(pipelineOf([stepOf({ name: 'train', memory, retry })]));
  scenario.proceed(0);
  scenario.running(0, 'train');
  progress.show(scenario.run);
  assert.equal(screen.text(), '  ▶ train running 0 ms');
  scenario.finished(0, 'train', outcomes.failed('out-of-memory'));
  scenario.proceed(1);
  scenario.running(1, 'train#2');
  progress.show(scenario.run);
  assert.match(screen.text(), /^ {2}▶ train running, memory grown from 2 GiB to 4 GiB /);
});

test('a step that will be tried again says what went wrong', () => {
  const lines = new Screen();
  const retry = { count: 2, delayMs: 1000, factor: 1, delayMaxMs: 1000 };
  const scenario = new Scenario(pipelineOf([stepOf({ name: 'train', retry })]));
  scenario.proceed(0);
  scenario.finished(5, 'train', outcomes.failed('code', 'exit code 1: ValueError: no rows'));
  new ProgressLines(lines).show(scenario.run);
  assert.equal(lines.text(), '  ↻ train up for retry 5.0 s: exit code 1: ValueError: no rows');
});

test('a line beside the steps stands above them, and stays', () => {
  const { screen, progress } = onScreen();
  const scenario = new Scenario(chain);
  scenario.proceed(0);
  progress.show(scenario.run);
  progress.note('Cancelling.');
  progress.show(scenario.run);
  assert.match(screen.text(), /^Cancelling\.\n {2}\S features .*\n {2}\S train waiting for features$/);
});

test('a line beside the steps that is wider than the terminal is there to its end, and the list stands below it', () => {
  const { screen, progress } = onScreen(new Screen(40, 24));
  const scenario = new Scenario(chain);
  scenario.proceed(0);
  progress.show(scenario.run);
  progress.note(`or: contender reject ${'r'.repeat(26)} release --reason "…"`);
  progress.show(scenario.run);
  assert.equal(
    screen.text(),
    [
      `or: contender reject ${'r'.repeat(19)}`,
      `${'r'.repeat(7)} release --reason "…"`,
      '  ○ features waiting 0 ms',
      '  · train waiting for features',
    ].join('\n'),
  );
});

test('a step that could run says what keeps it from that', () => {
  let why = 'waits for a slot of pool gpu (2 of 2 taken)';
  const { screen, progress, clock } = onScreen(new Screen(), () => why);
  const scenario = new Scenario(pipelineOf([stepOf({ name: 'each', map: mapOver([1, 2]) })]), 0);
  scenario.proceed(0);
  progress.show(scenario.run);
  assert.equal(screen.text(), '  ○ each waiting for a slot of pool gpu (2 of 2 taken) 0/2');
  why = 'the disk is full: no step is started';
  clock.tick();
  assert.equal(screen.text(), '  ○ each waiting 0/2: the disk is full: no step is started');
});

test('at the end the whole list stays, the cursor is back and the clock is stopped', () => {
  const { screen, progress, clock } = onScreen(new Screen(80, 6));
  const scenario = new Scenario(
    pipelineOf(Array.from({ length: 20 }, (_, index) => stepOf({ name: `step-${index}` }))),
  );
  scenario.proceed(0);
  progress.show(scenario.run);
  assert.equal(screen.text().split('\n').length, 5);
  progress.end();
  assert.equal(screen.text().split('\n').length, 20);
  assert.deepEqual([screen.cursorHidden, clock.stopped], [false, true]);
});

test('a list longer than the terminal keeps what runs and what failed, and counts the rest', () => {
  const { screen, progress } = onScreen(new Screen(80, 5));
  const steps = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => stepOf({ name }));
  const scenario = new Scenario(pipelineOf([...steps, stepOf({ name: 'last', upstream: ['a'] })]));
  scenario.proceed(0);
  for (const name of ['a', 'b', 'c']) scenario.finished(1, name, outcomes.succeeded());
  scenario.finished(1, 'd', outcomes.failed());
  for (const name of ['e', 'f']) scenario.running(1, name);
  progress.show(scenario.run);
  const lines = screen.text().split('\n');
  assert.equal(lines.length, 4);
  assert.match(lines[0] ?? '', /d failed/);
  assert.match(lines[1] ?? '', /e running/);
  assert.match(lines[3] ?? '', /… 4 more: 3 success, 1 \w+/);
});

test('a terminal that does not know its size gets as many lines as most have', () => {
  const screen = Object.assign(new Screen(80, 24), { rows: 0 });
  const { progress } = onScreen(screen);
  const scenario = new Scenario(pipelineOf(['a', 'b', 'c'].map((name) => stepOf({ name }))));
  scenario.proceed(0);
  progress.show(scenario.run);
  assert.equal(screen.text().split('\n').length, 3);
});

test('a line wider than the terminal, or with lines and colours of its own, stays one line', () => {
  const { screen, progress } = onScreen(new Screen(30, 24));
  const scenario = new Scenario(chain);
  scenario.proceed(0);
  scenario.finished(1, 'features', outcomes.failed('code', `first\nsecond \u001b[2Jthird ${'long '.repeat(20)}`));
  progress.show(scenario.run);
  progress.show(scenario.run);
  const lines = screen.text().split('\n');
  assert.equal(lines.length, 2);
  assert.ok(lines.every((line) => line.length <= 30));
});

test('each frame is one write, so that nothing is seen half drawn', () => {
  const { screen, progress } = onScreen();
  const scenario = new Scenario(chain);
  scenario.proceed(0);
  progress.show(scenario.run);
  screen.text();
  assert.equal(screen.writes, 1);
});

test('elsewhere there is one line for each change of a step, and none twice', () => {
  const screen = new Screen();
  const progress = new ProgressLines(screen);
  const scenario = new Scenario(pipelineOf([stepOf({ name: 'each', map: mapOver([1, 2]) })]));
  scenario.proceed(0);
  scenario.running(0, 'each[0]');
  progress.show(scenario.run);
  progress.show(scenario.run);
  scenario.finished(2, 'each[0]', outcomes.succeeded());
  scenario.running(2, 'each[1]');
  progress.show(scenario.run);
  scenario.finished(5, 'each[1]', outcomes.succeeded());
  progress.show(scenario.run);
  progress.end();
  assert.equal(screen.text(), '  ▶ each running 0/2\n  ▶ each running 1/2\n  ✓ each success 2/2 5.0 s');
});

test('a pipe, a CI and a dumb terminal get lines', () => {
  assert.equal(isLive({ isTTY: true }, { TERM: 'xterm' }), true);
  assert.equal(isLive({ isTTY: true }, { TERM: 'xterm', CI: 'false' }), true);
  assert.equal(isLive({}, { TERM: 'xterm' }), false);
  assert.equal(isLive({ isTTY: true }, { TERM: 'xterm', CI: 'true' }), false);
  assert.equal(isLive({ isTTY: true }, { TERM: 'dumb' }), false);
});
