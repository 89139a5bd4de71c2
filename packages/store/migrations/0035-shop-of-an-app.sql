-- What the payer's page shows of an app's shop, and where it leads back to (docs/cashier.md). Nothing is decided by it. Null: not set.
-- The page leads to this address and no other: no request names one.
alter table app add column return_url text check (return_url ~ '^https?://' and length(return_url) <= 512);
alter table app add column brand_color text check (brand_color ~ '^#[0-9a-f]{6}$');
-- The picture itself, so that a payer's browser asks our own server for it and no other. Its digest is part of its address.
alter table app add column logo bytea check (octet_length(logo) <= 32768);
alter table app add column logo_type text check (logo_type in ('image/png', 'image/jpeg', 'image/webp'));
alter table app add column logo_digest text check (logo_digest ~ '^[0-9a-f]{32}$');
alter table app add check ((logo is null) = (logo_type is null) and (logo is null) = (logo_digest is null));
