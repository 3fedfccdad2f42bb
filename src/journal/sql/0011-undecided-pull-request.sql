-- Pull requests whose merge still decides on a model are found without looking at what nobody decides on.
create index evaluation_undecided on evaluation (repository, pull_request)
  where state = 'reported' and pull_request is not null and policy in ('"automatic"', '"on-merge"');
