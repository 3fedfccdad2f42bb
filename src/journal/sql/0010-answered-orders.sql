-- Orders that have had their answer for long are found without looking at the others, and removed.
create index run_order_answered on run_order (answered_at) where answered_at is not null;
