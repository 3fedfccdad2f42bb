-- What cached steps gave, by what they were given. `scope`: empty, or the pull request that alone may use it.
create table step_cache (
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
create index step_cache_newest on step_cache (repository, pipeline, step, scope, step_index, at);
create index step_cache_by_time on step_cache (repository, pipeline, step, at);
