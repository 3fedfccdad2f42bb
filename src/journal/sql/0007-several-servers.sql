-- Which server conducts. `epoch` rises with each taking and belongs to a key, so that in PostgreSQL a taking waits for the
-- commits under the epoch before (which share the key), while a renewal waits for nobody.
create table lease (
  name text not null primary key,
  epoch bigint not null check (epoch >= 1),
  place text not null,
  said text not null,
  taken_at bigint not null,
  expires_at bigint not null,
  unique (name, epoch)
);

-- What people ask to be opened, by whichever server they asked, until whoever conducts has answered.
create table run_order (
  id text not null primary key,
  body text not null,
  at bigint not null,
  answer text,
  answered_at bigint,
  check ((answer is null) = (answered_at is null))
);
create index run_order_open on run_order (at, id) where answered_at is null;

-- Who has logged in: digests of what the browsers hold.
create table session (
  digest text not null primary key,
  ends_at bigint not null,
  used_at bigint not null
);
