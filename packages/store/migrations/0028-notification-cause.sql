-- The request, or the run of a job, that a notification tells of: its id stands in the lines of the log about each try, and where it was traced
-- the tries go on with its trace. Gateways of the version before neither write nor read it.
alter table notification add column request_id text, add column traceparent text;
