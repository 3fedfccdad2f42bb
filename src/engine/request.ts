/** What is asked of a run, by people or by a rule. It is a command once it has come to a turn of the run. */
export type RunRequest = CancelRequest | CancelFinallyRequest | DecideRequest;

export interface CancelRequest {
  readonly type: 'cancel';
  readonly by: string;
  readonly reason: string;
}

/** Of a run that is being stopped: its finally-steps too. */
export interface CancelFinallyRequest {
  readonly type: 'cancel-finally';
  readonly by: string;
  readonly reason: string;
}

/** The decision on an approval. */
export interface DecideRequest {
  readonly type: 'decide';
  readonly step: string;
  readonly decision: 'approve' | 'reject';
  readonly by: string;
  readonly reason: string | null;
}
