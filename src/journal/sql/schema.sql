-- What the migrations add up to, for readers. Written by test/journal/schema.test.ts, never run.

create TABLE backfill (
  id text not null primary key,
  repository text not null,
  pipeline text not null,
  sha text not null,
  digest text not null references definition (digest),
  options text not null,
  at bigint not null,
  state text not null check (state in ('running', 'cancelling', 'cancelled', 'done')),
  reason text,
  finished_at bigint,
  check ((finished_at is null) = (state in ('running', 'cancelling')))
);

create INDEX backfill_newest on backfill (at, id);

create INDEX backfill_open on backfill (at, id) where finished_at is null;

create TABLE backfill_interval (
  backfill_id text not null references backfill (id),
  position integer not null check (position >= 0),
  logical_date bigint not null,
  interval_end bigint not null,
  decision text not null check (decision in ('waiting', 'run', 'skipped')),
  reason text,
  run_id text,
  at bigint not null,
  primary key (backfill_id, position),
  check ((run_id is null) = (decision <> 'run'))
);

create INDEX backfill_interval_decided on backfill_interval (backfill_id, decision, position);

create TABLE branch_head (
  repository text not null,
  branch text not null,
  sha text not null,
  at bigint not null,
  primary key (repository, branch)
);

create TABLE compiled_commit (
  repository text not null,
  sha text not null,
  at bigint not null,
  versions text not null,
  primary key (repository, sha)
);

create TABLE data_event (
  id text not null primary key,
  dataset text not null,
  digest text,
  run_id text references run (id),
  step text,
  told_by text,
  depth integer not null check (depth >= 0),
  at bigint not null,
  told_at bigint not null,
  state text not null check (state in ('open', 'news', 'same', 'refused')),
  reason text,
  position bigint,
  check ((state in ('news', 'same')) = (position is not null)),
  check ((run_id is null) = (step is null))
);

create INDEX data_event_newest on data_event (told_at, id);

create INDEX data_event_newest_of_dataset on data_event (dataset, told_at, id);

create INDEX data_event_news on data_event (dataset, position) where state = 'news';

create INDEX data_event_open on data_event (told_at, id) where state = 'open';

create TABLE data_listener (
  repository text not null,
  pipeline text not null,
  dataset text not null references dataset (name),
  seen bigint not null,
  at bigint not null,
  primary key (repository, pipeline, dataset)
);

create TABLE dataset (
  name text not null primary key,
  position bigint not null check (position >= 0),
  digest text,
  event_id text
);

create TABLE definition (
  digest text not null primary key,
  body text not null
);

create TABLE delivery (
  id text not null primary key,
  repository text not null,
  event text not null,
  semantic_key text unique,
  body text not null,
  at bigint not null,
  state text not null check (state in ('pending', 'done', 'ignored', 'failed')),
  note text,
  done_at bigint,
  check ((state = 'pending') = (done_at is null))
);

create INDEX delivery_pending on delivery (at, id) where state = 'pending';

create TABLE evaluation (
  id text not null primary key,
  run_id text not null references run (id),
  step text not null,
  repository text not null,
  pipeline text not null,
  model text not null,
  sha text not null,
  pull_request bigint,
  branch text not null,
  policy text not null,
  verdict text not null,
  promotable integer not null check (promotable in (0, 1)),
  artifact text not null,
  predictions text,
  champion_version integer,
  state text not null check (state in ('reported', 'promoting', 'promoted', 'refused')),
  reason text,
  version integer,
  at bigint not null,
  decided_at bigint,
  unique (run_id, step)
);

create INDEX evaluation_by_model on evaluation (model, at, id);

create INDEX evaluation_by_pull_request on evaluation (pull_request, at, id);

create INDEX evaluation_by_sha on evaluation (sha, at, id);

create INDEX evaluation_by_state on evaluation (repository, state, at, id);

create INDEX evaluation_newest on evaluation (at, id);

create INDEX evaluation_of_run on evaluation (run_id, at, id);

create INDEX evaluation_undecided on evaluation (repository, pull_request)
  where state = 'reported' and pull_request is not null and policy in ('"automatic"', '"on-merge"');

create TABLE forge_object (
  key text not null primary key,
  id text not null,
  at bigint not null
);

create TABLE lease (
  name text not null primary key,
  epoch bigint not null check (epoch >= 1),
  place text not null,
  said text not null,
  taken_at bigint not null,
  expires_at bigint not null,
  unique (name, epoch)
);

create TABLE migration (
  version integer not null primary key,
  name text not null,
  applied_at bigint not null
);

create TABLE outbox (
  key text not null primary key,
  kind text not null,
  body text not null,
  sequence integer not null check (sequence >= 1),
  attempts integer not null check (attempts >= 0),
  at bigint not null,
  due_at bigint,
  error text,
  done_at bigint, run_id text references run (id),
  check (done_at is null or due_at is null)
);

create INDEX outbox_due on outbox (due_at, key) where due_at is not null;

create INDEX outbox_of_run on outbox (run_id, at, key) where run_id is not null;

create INDEX outbox_troubled on outbox (at, key) where error is not null and done_at is null;

create TABLE pipeline_counter (
  repository text not null,
  pipeline text not null,
  last_number integer not null,
  primary key (repository, pipeline)
);

create TABLE run (
  id text not null primary key,
  number integer not null check (number >= 1),
  repository text not null,
  pipeline text not null,
  sha text not null,
  digest text not null references definition (digest),
  branch text,
  pull_request bigint,
  trigger_key text not null unique references run_trigger (key),
  position integer not null check (position >= 1),
  state text not null check (state in ('running', 'cancelling', 'success', 'failed', 'cancelled')),
  reason text,
  finished_at bigint, rerun_of text references run (id), logical_date bigint, deadline_missed_at bigint,
  unique (repository, pipeline, number),
  check ((finished_at is null) = (state in ('running', 'cancelling')))
);

create INDEX run_active on run (repository, pipeline, id) where finished_at is null;

create INDEX run_by_branch on run (branch, id);

create INDEX run_by_pipeline on run (pipeline, id);

create INDEX run_by_pull_request on run (pull_request, id);

create INDEX run_by_rerun_of on run (rerun_of, id) where rerun_of is not null;

create INDEX run_by_sha on run (sha, id);

create INDEX run_by_state on run (state, id);

create INDEX run_of_date on run (repository, pipeline, logical_date, id);

create INDEX run_of_pipeline on run (repository, pipeline, id);

create INDEX run_of_repository on run (repository, id);

create INDEX run_unfinished on run (id) where finished_at is null;

create TABLE run_end (
  run_id text not null primary key references run (id),
  at bigint not null,
  done_at bigint
);

create INDEX run_end_open on run_end (at, run_id) where done_at is null;

create TABLE run_event (
  run_id text not null references run (id),
  position integer not null check (position >= 0),
  body text not null,
  primary key (run_id, position)
);

create TABLE run_order (
  id text not null primary key,
  body text not null,
  at bigint not null,
  answer text,
  answered_at bigint,
  check ((answer is null) = (answered_at is null))
);

create INDEX run_order_answered on run_order (answered_at) where answered_at is not null;

create INDEX run_order_open on run_order (at, id) where answered_at is null;

create TABLE run_request (
  id text not null primary key,
  run_id text not null references run (id),
  body text not null,
  at bigint not null,
  done_at bigint
);

create INDEX run_request_of_run on run_request (run_id, at, id);

create INDEX run_request_open on run_request (at, id) where done_at is null;

create TABLE run_trigger (
  key text not null primary key,
  at bigint not null,
  reason text,
  covered_by text
);

create TABLE session (
  digest text not null primary key,
  ends_at bigint not null,
  used_at bigint not null
);

create TABLE step_cache (
  repository text not null,
  pipeline text not null,
  step text not null,
  scope text not null,
  key text not null,
  step_index integer not null check (step_index >= 0),
  run_id text not null references run (id),
  at bigint not null,
  parts text not null,
  output text not null,
  primary key (repository, pipeline, step, scope, key)
);

create INDEX step_cache_by_time on step_cache (repository, pipeline, step, at);

create INDEX step_cache_newest on step_cache (repository, pipeline, step, scope, step_index, at);

create TABLE tick (
  repository text not null,
  pipeline text not null,
  tick bigint not null,
  at bigint not null,
  decision text not null check (decision in ('run', 'missed')),
  reason text,
  run_id text,
  primary key (repository, pipeline, tick)
);
