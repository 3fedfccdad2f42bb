/** What a server finds where it is started, and what stays there when it dies: a clock, and a disk. */
import { createFakeWorld, type FakeWorld } from '../../src/executor/fake.ts';
import { Mirror } from './repository.ts';

export interface Machine {
  readonly name: string;
  /** How far its clock is from the others'. */
  skewMs: number;
  /** What became of the attempts that were begun there; where they outlive their servers, on every machine the same. */
  readonly attempts: FakeWorld;
  readonly mirror: Mirror;
}

export function createMachine(name: string, skewMs: number, attempts: FakeWorld = createFakeWorld()): Machine {
  return { name, skewMs, attempts, mirror: new Mirror() };
}
