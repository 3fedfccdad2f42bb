-- A list of runs says which were late, and a run whom it told; null where it is about none.
alter table run add column deadline_missed_at bigint;
alter table outbox add column run_id text references run (id);
create index outbox_of_run on outbox (run_id, at, key) where run_id is not null;
