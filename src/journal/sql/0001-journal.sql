-- One SQL for SQLite and PostgreSQL: times are milliseconds since the epoch and come in as parameters, JSON is text,
-- booleans are 0 and 1. The constraints hold what the system promises; the code only words the refusal.

-- Webhooks as they came. The same event under another id has the same semantic key.
create table delivery (
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
create index delivery_pending on delivery (at, id) where state = 'pending';

-- What the files of a commit compiled to, and the definitions by their digests.
create table definition (
  digest text not null primary key,
  body text not null
);
create table compiled_commit (
  repository text not null,
  sha text not null,
  at bigint not null,
  versions text not null,
  primary key (repository, sha)
);
create table branch_head (
  repository text not null,
  branch text not null,
  sha text not null,
  at bigint not null,
  primary key (repository, branch)
);

-- Every cause of a run, once. One that led to no run has a reason.
create table run_trigger (
  key text not null primary key,
  at bigint not null,
  reason text,
  covered_by text
);

-- The last number given to a run of a pipeline; its row lock keeps two servers from giving the same.
create table pipeline_counter (
  repository text not null,
  pipeline text not null,
  last_number integer not null,
  primary key (repository, pipeline)
);
-- `position` is the number of its events. A run whose definition is not kept could never be folded.
create table run (
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
  finished_at bigint,
  unique (repository, pipeline, number),
  check ((finished_at is null) = (state in ('running', 'cancelling')))
);
create index run_unfinished on run (id) where finished_at is null;
create index run_active on run (repository, pipeline, id) where finished_at is null;
create index run_of_pipeline on run (repository, pipeline, id);
create index run_of_repository on run (repository, id);
create index run_by_pipeline on run (pipeline, id);
create index run_by_state on run (state, id);
create index run_by_branch on run (branch, id);
create index run_by_sha on run (sha, id);
create index run_by_pull_request on run (pull_request, id);

create table run_event (
  run_id text not null references run (id),
  position integer not null check (position >= 0),
  body text not null,
  primary key (run_id, position)
);

-- Ticks of schedules. `run_id` may be kept before its run, in the same commit.
create table tick (
  repository text not null,
  pipeline text not null,
  tick bigint not null,
  at bigint not null,
  decision text not null check (decision in ('run', 'missed')),
  reason text,
  run_id text,
  primary key (repository, pipeline, tick)
);

-- What is to be carried out elsewhere. Not due: done, or given up (then it has an error and no `done_at`).
create table outbox (
  key text not null primary key,
  kind text not null,
  body text not null,
  sequence integer not null check (sequence >= 1),
  attempts integer not null check (attempts >= 0),
  at bigint not null,
  due_at bigint,
  error text,
  done_at bigint,
  check (done_at is null or due_at is null)
);
create index outbox_due on outbox (due_at, key) where due_at is not null;
create index outbox_troubled on outbox (at, key) where error is not null and done_at is null;

-- What a forge calls the things that we made.
create table forge_object (
  key text not null primary key,
  id text not null,
  at bigint not null
);

-- Challenges of champions, and what became of them.
create table evaluation (
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
create index evaluation_newest on evaluation (at, id);
create index evaluation_of_run on evaluation (run_id, at, id);
create index evaluation_by_sha on evaluation (sha, at, id);
create index evaluation_by_model on evaluation (model, at, id);
create index evaluation_by_pull_request on evaluation (pull_request, at, id);
