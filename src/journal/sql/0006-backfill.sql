-- What a run is for, so that the runs of a date are found. The runs that are there already say it in their first event,
-- as JSON of this program's making; their dates of 13 digits are those from 2001 on.
alter table run add column logical_date bigint;
with recursive place (n) as (select 1 union all select n + 1 from place where n < 1500)
update run set logical_date = (
  select cast(substr(e.body, p.n + 14, 13) as bigint)
  from run_event e join place p on substr(e.body, p.n, 14) = '"logicalDate":'
  where e.run_id = run.id and e.position = 0 and substr(e.body, p.n + 27, 1) = ','
  order by p.n limit 1
);
create index run_of_date on run (repository, pipeline, logical_date, id);

-- Past intervals that a pipeline is run for. Those of a backfill are decided once each.
create table backfill (
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
create index backfill_newest on backfill (at, id);
create index backfill_open on backfill (at, id) where finished_at is null;

create table backfill_interval (
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
create index backfill_interval_decided on backfill_interval (backfill_id, decision, position);
