/** What every page loads: the tools in its head, and the island that it names. */
import { effect } from '@preact/signals';
import { readServerTime, retellTimes, tick, watch } from './clock.ts';
import { startLog } from './log.ts';
import { startRefresh } from './refresh.ts';
import { startRun } from './run.ts';
import { startTools } from './tools.ts';

const main = document.querySelector<HTMLElement>('#main');
const data = document.querySelector('#page-data')?.textContent ?? null;
readServerTime(document);
tick();
startTools();
if (main !== null) {
  const { island, refreshes } = main.dataset;
  if (island === 'run' && data !== null) startRun(main, JSON.parse(data));
  else {
    if (island === 'log' && data !== null) startLog(JSON.parse(data));
    effect(() => {
      void watch.value;
      retellTimes(main);
    });
    setInterval(tick, 20_000);
    if (refreshes === 'true') startRefresh();
  }
}
