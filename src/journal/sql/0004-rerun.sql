-- The page of a run leads to those that ran it again.
alter table run add column rerun_of text references run (id);
create index run_by_rerun_of on run (rerun_of, id) where rerun_of is not null;
