/** What every action and every endpoint of our GitHub works on. */
import type { Hooks } from './hooks.ts';
import type { Places, Shapes } from './shapes.ts';
import type { World } from './world.ts';

export interface Core {
  readonly world: World;
  readonly shapes: Shapes;
  readonly places: Places;
  readonly hooks: Hooks;
}

/** Why GitHub does not do it: the status and message of its answer. */
export interface Refusal {
  readonly status: 401 | 403 | 404 | 405 | 409 | 422;
  readonly message: string;
  readonly errors?: readonly {
    readonly resource: string;
    readonly code: string;
    readonly field?: string;
    readonly message?: string;
  }[];
}
