/** What is asked of a run, by people or by a rule. It is a command once it has come to a turn of the run. */
export interface CancelRequest {
  readonly type: 'cancel';
  readonly by: string;
  readonly reason: string;
}

export type RunRequest = CancelRequest;
