/** What the programs use of packages that are installed for a benchmark only, by their documentation. */
declare module 'graphile-worker' {
  import type { Pool, PoolClient, QueryResult } from 'pg';

  interface Helpers {
    readonly addJob: (task: string, payload: object) => Promise<unknown>;
    readonly addJobs: (jobs: readonly { readonly identifier: string; readonly payload: object }[]) => Promise<unknown>;
    readonly withPgClient: <Row extends object>(
      use: (client: PoolClient) => Promise<QueryResult<Row>>,
    ) => Promise<QueryResult<Row>>;
  }
  export type Task = (payload: unknown, helpers: Helpers) => Promise<void>;
  interface Log {
    readonly info: (message: string) => void;
  }
  export const Logger: new (scoped: () => () => void) => Log;
  interface Options {
    readonly pgPool: Pool;
    readonly logger: Log;
  }
  export function run(
    options: Options & {
      readonly concurrency: number;
      readonly noHandleSignals: boolean;
      readonly taskList: Readonly<Record<string, Task>>;
      readonly preset?: object;
    },
  ): Promise<{ stop(): Promise<void> }>;
  export function makeWorkerUtils(options: Options): Promise<Pick<Helpers, 'addJob'> & { release(): Promise<void> }>;
}

declare module '@dbos-inc/dbos-sdk' {
  export const DBOS: {
    setConfig(config: object): void;
    launch(): Promise<void>;
    shutdown(): Promise<void>;
    registerWorkflow<Arguments extends unknown[]>(
      workflow: (...given: Arguments) => Promise<void>,
      options: { readonly name: string },
    ): (...given: Arguments) => Promise<void>;
    startWorkflow<Arguments extends unknown[]>(
      workflow: (...given: Arguments) => Promise<void>,
    ): (...given: Arguments) => Promise<{ getResult(): Promise<void> }>;
    runStep(step: () => Promise<void>, options: { readonly name: string }): Promise<void>;
  };
}
