-- What is still to be decided in a repository is asked for at every look at it.
create index evaluation_by_state on evaluation (repository, state, at, id);
