-- Runs that have ended, each until somebody has looked who follows it.
create table run_end (
  run_id text not null primary key references run (id),
  at bigint not null,
  done_at bigint
);
create index run_end_open on run_end (at, run_id) where done_at is null;

-- News of a dataset are numbered, in the order in which they are decided on, so that who listens knows how far it is.
create table dataset (
  name text not null primary key,
  position bigint not null check (position >= 0),
  digest text,
  event_id text
);

-- That data have changed, as somebody says: `news` or, with the digest of the news before, not (`same`); `refused` where
-- the run that says so is of no branch that counts.
create table data_event (
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
create index data_event_open on data_event (told_at, id) where state = 'open';
create index data_event_newest on data_event (told_at, id);
create index data_event_newest_of_dataset on data_event (dataset, told_at, id);
create index data_event_news on data_event (dataset, position) where state = 'news';

-- Who listens, and up to which news its runs have taken them.
create table data_listener (
  repository text not null,
  pipeline text not null,
  dataset text not null references dataset (name),
  seen bigint not null,
  at bigint not null,
  primary key (repository, pipeline, dataset)
);
