/** What every page loads: the tools in its head, and the island that it names. */
import { startRun } from './run.ts';

const main = document.querySelector<HTMLElement>('#main');
const data = document.querySelector('#page-data')?.textContent ?? null;
if (main !== null) {
  if (main.dataset['island'] === 'run' && data !== null) startRun(main, JSON.parse(data));
}
