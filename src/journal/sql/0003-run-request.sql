-- What was asked of a run, until its events say so. An open request is one of a run that has not ended.
create table run_request (
  id text not null primary key,
  run_id text not null references run (id),
  body text not null,
  at bigint not null,
  done_at bigint
);
create index run_request_open on run_request (at, id) where done_at is null;
create index run_request_of_run on run_request (run_id, at, id);
