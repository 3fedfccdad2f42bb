/** On what the figures of a run were taken, and how much else went on there. */
import { cpus, loadavg, totalmem } from 'node:os';
import { isBuilt, nodeOptions, slots } from './contender/subject.ts';
import type { Figure } from './figures.ts';
import { round } from './measure.ts';

export function machineFigure(smoke: boolean): Figure {
  return {
    workload: 'machine',
    at: new Date().toISOString(),
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory_gb: Math.round(totalmem() / 2 ** 30),
    // Of others: what is measured has not begun.
    load_before: round(loadavg()[0] ?? Number.NaN),
    slots,
    node_options: nodeOptions,
    contender: isBuilt ? 'built' : 'from source',
    smoke,
  };
}
