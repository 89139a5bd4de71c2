-- Keys for one purpose each (links), sealed with the gateway's master key. Made once, so that they outlive a change of that key.
create table purpose_key (
  purpose text primary key,
  sealed  bytea not null
);
