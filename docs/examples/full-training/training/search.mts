/** Which settings are tried: known when the data is, so it is a step that makes them. */
import type { Settings } from './network.mts';

/** Units of the hidden layer. */
const sizes = [8, 16];
const learningRates = [0.03, 0.1];
/** How often a fit looks at a row, all rows together. */
const looks = 88_000;
const rowsForOneUnit = 100;

/** None is larger than the rows allow. */
export function settingsFor(rows: number): readonly Settings[] {
  const epochs = Math.max(1, Math.round(looks / rows));
  const fitting = sizes.filter((units) => units * rowsForOneUnit <= rows);
  return fitting.flatMap((units) => learningRates.map((learningRate) => ({ units, learningRate, epochs })));
}
