/**
 * For `with recursive`: `host` has a row for each host with pending notifications, read by one entry of the index each, and one null at
 * its end.
 */
export const PENDING_HOSTS = `host as (
       (select host from notification where state = 'PENDING' order by host limit 1)
       union all
       select (select n.host from notification n where n.state = 'PENDING' and n.host > h.host order by n.host limit 1)
         from host h where h.host is not null)`
